// Installs the npm packages where they are missing or do not match package-lock.json. It runs before any package is
// installed, with any version of Node, so it is plain JavaScript without packages.
const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..");
const stamp = join(root, "node_modules", ".installed-from");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

function installed() {
  try {
    return readFileSync(stamp, "utf8");
  } catch {
    return undefined;
  }
}

if (installed() !== wanted) {
  console.log("npm packages: installing ...");
  const start = Date.now();
  // Not `npm ci`: it fails where a registry lacks optional packages of other platforms. The lock file applies all the same.
  const options = "--no-save --no-fund --no-audit --loglevel=error";
  const { status } = spawnSync(`npm install ${options}`, {
    cwd: root,
    stdio: "inherit",
    shell: true,
  });
  if (status !== 0) {
    console.error(`npm packages: npm install failed in ${root}, for the reason above`);
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
  console.log(`npm packages: installed in ${Math.round((Date.now() - start) / 1000)} s`);
}
