import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { x } from "tinyexec";
import type { GoPin } from "./pins";

const labFolder = dirname(__dirname);

/**
 * Static binaries that run in an empty image, and no workspace of the user's around the module.
 * Nothing here touches the checksum database: every module is verified as Go does by default.
 */
const goEnvironment = { CGO_ENABLED: "0", GOWORK: "off" };

/** The folder with the pin's `go.mod`. */
export function folderOf(pin: GoPin): string {
  return join(labFolder, pin.folder);
}

async function go(folder: string, args: readonly string[]): Promise<string> {
  const run = x("go", [...args], { nodeOptions: { cwd: folder, env: goEnvironment } });
  const { exitCode, stdout, stderr } = await run.then(
    (output) => output,
    (error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? new Error(missingGo("Go is not on PATH")) : error;
    },
  );
  if (exitCode === 0) return stdout.trim();
  if (/requires go >=/.test(stderr)) throw new Error(missingGo(stderr.trim()));
  const tail = stderr.trim().split("\n").slice(-15).join("\n");
  throw new Error(`${folder}: "go ${args[0]}" failed (exit ${exitCode}):\n${tail}`);
}

function missingGo(reason: string): string {
  return `${reason}. Install Go 1.26 or newer (https://go.dev/doc/install) and put it on PATH.`;
}

/** The Go toolchain that builds in a folder: version and target, as `go1.26.8 linux amd64`. */
export async function goToolchain(folder: string): Promise<string> {
  const answer = await go(folder, ["env", "GOVERSION", "GOOS", "GOARCH"]);
  return answer.split("\n").join(" ");
}

/** Every file below a folder, as relative path and content, in a fixed order. */
function filesBelow(folder: string, prefix = ""): [string, Buffer][] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry): [string, Buffer][] => {
      const path = join(prefix, entry.name);
      if (entry.isDirectory()) return filesBelow(folder, path);
      return [[path, readFileSync(join(folder, path))]];
    });
}

/**
 * Hash of everything that determines a binary: the toolchain, what is built and how, and every
 * file of the module's folder (`go.sum` pins the content of all that it depends on).
 */
export function buildHash(pin: GoPin, toolchain: string, folder = folderOf(pin)): string {
  const hash = createHash("sha256");
  const { version, package: target, values, overlay } = pin;
  hash.update(JSON.stringify([toolchain, version, target, values, overlay, goEnvironment]));
  for (const [path, content] of filesBelow(folder)) {
    hash.update(`\0${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** A file for `go build -overlay` that lets the build see a module's file in the pin's folder. */
async function writeOverlay(pin: GoPin, file: string): Promise<string[]> {
  if (!pin.overlay) return [];
  const folder = folderOf(pin);
  await go(folder, ["mod", "download", pin.overlay.module]);
  const source = await go(folder, ["list", "-m", "-f", "{{.Dir}}", pin.overlay.module]);
  const replace = { [join(folder, pin.overlay.name)]: join(source, pin.overlay.path) };
  writeFileSync(file, JSON.stringify({ Replace: replace }));
  return ["-overlay", file];
}

/**
 * Builds the pin's package to `output`. What an interrupted build has compiled is in Go's own
 * build cache, so that the next one goes on from there; `output` appears only when it is whole.
 */
export async function goBuild(pin: GoPin, output: string): Promise<void> {
  const partial = `${output}.partial`;
  const overlay = `${output}.overlay.json`;
  const link = ["-s", "-w", ...(pin.values ?? []).map((value) => `-X ${value}`)].join(" ");
  const flags = ["-mod=readonly", "-buildvcs=false", ...(await writeOverlay(pin, overlay))];
  await go(folderOf(pin), ["build", ...flags, "-ldflags", link, "-o", partial, pin.package]);
  rmSync(overlay, { force: true });
  renameSync(partial, output);
}
