import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withLock } from "../../../lab/toolchain/cache";
import { buildHash, folderOf } from "../../../lab/toolchain/go";
import {
  cachedPath,
  ensureDebianPackages,
  ensureTools,
  findTool,
} from "../../../lab/toolchain/index";
import { type GoPin, pinOf } from "../../../lab/toolchain/pins";
import { ensurePulumi } from "../../../lab/toolchain/pulumi";

let folder: string;
let bin: string;
let lines: string[];
const report = (line: string) => void lines.push(line);

/** What a stand-in for Go does: tells its version, and "builds" a script, or fails on demand. */
const fakeGo = `#!/bin/sh
case "$1" in
env) echo go1.26.8; echo linux; echo amd64 ;;
list) echo /modules ;;
build)
  echo "$PWD $*" >> "$FAKE_GO_LOG"
  [ -z "$FAKE_GO_FAILS" ] || { echo "undefined: boom" >&2; exit 1; }
  while [ "$1" != -o ]; do shift; done
  echo "#!/bin/sh" > "$2"; chmod +x "$2" ;;
esac
`;

function script(name: string, text: string, to = bin): string {
  const file = join(to, name);
  mkdirSync(to, { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

function builds(): string[] {
  const log = join(folder, "go.log");
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "toolchain-"));
  bin = join(folder, "bin");
  lines = [];
  script("go", fakeGo);
  vi.stubEnv("ML_PLATFORM_CACHE", join(folder, "cache"));
  vi.stubEnv("FAKE_GO_LOG", join(folder, "go.log"));
  vi.stubEnv("PATH", `${bin}:/usr/bin:/bin`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe("ensureTools", () => {
  it("builds once, tells so, and finds it the next time without a word", async () => {
    const file = (await ensureTools(["coredns"], report)).get("coredns")!;
    expect(file).toBe(await cachedPath("coredns"));
    expect(lines).toEqual([
      "coredns 1.15.0: building (about 2 min on two cores) ...",
      expect.stringMatching(/^coredns 1\.15\.0: built in \d+\.\d s$/),
    ]);
    expect((await ensureTools(["coredns"], report)).get("coredns")).toBe(file);
    expect(lines).toHaveLength(2);
    expect(builds()).toHaveLength(1);
    expect(builds()[0]).toContain("modules/coredns build -mod=readonly");
  });

  it("builds once where two ask at the same time", async () => {
    await Promise.all([ensureTools(["coredns"], report), ensureTools(["coredns"], report)]);
    expect(builds()).toHaveLength(1);
  });

  it("keeps nothing of a failed build, shows its end, and builds anew", async () => {
    vi.stubEnv("FAKE_GO_FAILS", "1");
    await expect(ensureTools(["traefik"], report)).rejects.toThrow(
      /modules\/traefik: "go build" failed \(exit 1\):\nundefined: boom/,
    );
    expect(await findTool("traefik")).toBeUndefined();
    vi.stubEnv("FAKE_GO_FAILS", "");
    expect(existsSync((await ensureTools(["traefik"], report)).get("traefik")!)).toBe(true);
  });

  it("takes a tool of PATH in the range, and builds where it is out of it", async () => {
    const file = script("buildctl", "#!/bin/sh\necho buildctl github.com/moby/buildkit v0.30.1\n");
    expect((await ensureTools(["buildctl"], report)).get("buildctl")).toBe(file);
    script("buildctl", "#!/bin/sh\necho buildctl github.com/moby/buildkit v0.9.3\n");
    expect((await ensureTools(["buildctl"], report)).get("buildctl")).not.toBe(file);
    expect(builds()).toHaveLength(1);
  });

  it("never takes what goes into an image from PATH", async () => {
    const file = script("prometheus", "#!/bin/sh\necho prometheus, version 3.16.0\n");
    expect((await ensureTools(["prometheus"], report)).get("prometheus")).not.toBe(file);
  });

  it("writes scripts", async () => {
    const name = "pulumi-analyzer-policy-nodejs";
    const file = (await ensureTools([name], report)).get(name)!;
    expect(readFileSync(file, "utf8")).toMatch(
      /^#!\/bin\/sh\nexec node "\$\(node -p .*run-policy-pack.*\)" "\$@"\n$/,
    );
  });

  it("lets the build see the schema of the Kubernetes provider", async () => {
    await ensureTools(["pulumi-resource-kubernetes"], report);
    expect(builds()[0]).toMatch(/-overlay \S+\.overlay\.json/);
  });

  it.each([
    ["missing", undefined, /^Go is not on PATH\. Install Go 1\.26 or newer/],
    [
      "too old",
      "echo 'go.mod requires go >= 1.26' >&2; exit 1",
      /requires go >= 1\.26\. Install Go/,
    ],
  ])("says what to install where Go is %s", async (_case, text, message) => {
    rmSync(join(bin, "go"));
    vi.stubEnv("PATH", bin);
    if (text) script("go", `#!/bin/sh\n${text}\n`);
    await expect(ensureTools(["traefik"], report)).rejects.toThrow(message);
  });
});

describe("buildHash", () => {
  it("changes with everything that determines the binary, and with nothing else", () => {
    const pin = pinOf("coredns") as GoPin;
    const copy = join(folder, "module");
    cpSync(folderOf(pin), copy, { recursive: true });
    const base = buildHash(pin, "go1.26.8 linux amd64");
    expect(buildHash(pin, "go1.26.8 linux amd64", copy)).toBe(base);
    writeFileSync(join(copy, "go.sum"), "other");
    const others = [
      buildHash(pin, "go1.26.9 linux amd64"),
      buildHash({ ...pin, version: "1.15.1" }, "go1.26.8 linux amd64"),
      buildHash({ ...pin, values: ["a.B=1"] }, "go1.26.8 linux amd64"),
      buildHash(pin, "go1.26.8 linux amd64", copy),
    ];
    expect(new Set([base, ...others]).size).toBe(5);
  });
});

describe("withLock", () => {
  it("waits for another process, and takes over from one that dies", async () => {
    const file = join(folder, "a.lock");
    const holder = spawn("flock", ["--no-fork", file, "sh", "-c", "echo held; exec cat"]);
    await once(holder.stdout, "data");
    const waited = vi.fn(() => void holder.kill("SIGKILL"));
    expect(await withLock(file, waited, async () => "done")).toBe("done");
    expect(waited).toHaveBeenCalledOnce();
  });

  it("is free again after work that throws", async () => {
    const file = join(folder, "a.lock");
    const failure = withLock(
      file,
      () => undefined,
      () => Promise.reject(new Error("no")),
    );
    await expect(failure).rejects.toThrow("no");
    expect(
      await withLock(
        file,
        () => undefined,
        async () => 1,
      ),
    ).toBe(1);
  });
});

describe("ensurePulumi", () => {
  const complete = "#!/bin/sh\necho v3.270.0\n";

  it("takes an official CLI of PATH", async () => {
    const official = join(folder, "official");
    const command = script("pulumi", complete, official);
    script("pulumi-language-nodejs", complete, official);
    vi.stubEnv("PATH", `${official}:${process.env.PATH}`);
    const download = vi.fn();
    expect(await ensurePulumi(report, download)).toEqual({ command, binDirs: [official] });
    expect(download).not.toHaveBeenCalled();
  });

  it("downloads the official CLI where there is none", async () => {
    const download = vi.fn(async () => undefined);
    const { command, binDirs } = await ensurePulumi(report, download);
    expect(command).toMatch(/tools\/pulumi-official\/[\d.]+\/bin\/pulumi$/);
    expect(binDirs).toEqual([dirname(command)]);
    expect(builds()).toEqual([]);
  });

  it("builds where a download fails, says why, and tries no download after that", async () => {
    const download = vi.fn(async () => "blocked");
    const built = await ensurePulumi(report, download);
    expect(lines[1]).toMatch(/no official CLI \(blocked\); building 3\.250\.0 from its Go module/);
    expect(built.command).toBe(await cachedPath("pulumi"));
    const names = ["pulumi-resource-kubernetes", "pulumi-analyzer-policy-nodejs"] as const;
    for (const name of names) expect(built.binDirs).toContain(dirname(await cachedPath(name)));
    expect(built.binDirs).not.toContain(dirname(await cachedPath("pulumi-language-nodejs")));
    expect(await ensurePulumi(report, download)).toEqual(built);
    expect(download).toHaveBeenCalledOnce();
  });
});

describe("ensureDebianPackages", () => {
  it("installs only what is missing, and takes nothing away for it", async () => {
    script("dpkg-query", "#!/bin/sh\necho skopeo installed\nexit 1\n");
    script("apt-get", `#!/bin/sh\necho "$*" >> ${folder}/apt.log\n`);
    vi.spyOn(process, "getuid").mockReturnValue(0);
    await ensureDebianPackages(["skopeo"], report);
    expect(existsSync(join(folder, "apt.log"))).toBe(false);
    await ensureDebianPackages(["skopeo", "ipset"], report);
    const calls = readFileSync(join(folder, "apt.log"), "utf8").trim().split("\n");
    expect(calls).toEqual(["update", "install --yes --no-install-recommends --no-remove ipset"]);
    expect(lines[0]).toBe("Debian packages: installing ipset ...");
  });

  it("shows why an install failed", async () => {
    script("dpkg-query", "#!/bin/sh\n");
    script(
      "apt-get",
      '#!/bin/sh\n[ "$1" = update ] || { echo "E: no such thing" >&2; exit 100; }\n',
    );
    vi.spyOn(process, "getuid").mockReturnValue(0);
    await expect(ensureDebianPackages(["ipset"], report)).rejects.toThrow(/E: no such thing/);
  });

  it("tells what to run where it is not root, or no Debian", async () => {
    script("dpkg-query", "#!/bin/sh\n");
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    const failure = ensureDebianPackages(["ipset", "runc"], report);
    await expect(failure).rejects.toThrow(/sudo apt-get install ipset runc/);
    vi.stubEnv("PATH", "");
    await expect(ensureDebianPackages(["ipset"], report)).rejects.toThrow(/no Debian.*ipset/);
  });
});
