import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ToolError, which } from "../../../toolchain";
import { chooseGo, go, goCandidates, goToolchain } from "../../../toolchain/go-command";
import { type Sandbox, sandbox } from "../../support/sandbox";
import { waitFor } from "../../support/wait";

const realGo = which("go");
let box: Sandbox;

/** A fake Go command with a version. */
function fake(version: string, folder: string): string {
  return box.script("go", `#!/bin/sh\necho go${version}\n`, join(box.folder, folder));
}

/** A folder whose `go.mod` needs a future Go version. */
function futureModule(): string {
  return dirname(box.write("future/go.mod", "module example.com/future\n\ngo 1.999.0\n"));
}

beforeEach(() => {
  box = sandbox();
});

afterEach(() => {
  vi.unstubAllEnvs();
  box.remove();
});

describe("goCandidates", () => {
  it("returns the Go on PATH first, then the usual folders, with Debian's newest version first", () => {
    const onPath = fake("1.26.8", "bin");
    const places = ["usr/local/go/bin", "usr/lib/go-1.26/bin", "usr/lib/go-1.9/bin", "home/go/bin"];
    const others = places.map((folder) => fake("1.26.8", folder));
    const found = goCandidates(box.folder, join(box.folder, "home"));
    expect(found).toEqual([onPath, ...others]);
  });
});

describe("chooseGo", () => {
  it.each([
    ["1.26.8", ["1.19.8", "1.26.8"], 1],
    ["1.26.8", ["1.26.7", "1.27.0"], 1],
    ["1.26", ["1.26", "1.27.0"], 0],
    // It may download a newer version.
    ["1.26.8", ["1.24.4", "1.23.1"], 0],
    ["1.26.8", ["1.26.9-custom"], 0],
  ])("requires %s, has %j: chooses number %d", async (needed, versions, chosen) => {
    const candidates = versions.map((version, index) => fake(version, `place${index}`));
    expect(await chooseGo(needed, candidates)).toBe(candidates[chosen]);
  });

  it("names the version to install if there is none", async () => {
    const failure = chooseGo("1.26.8", []);
    await expect(failure).rejects.toThrow(
      /^Go is not on PATH, nor in a usual folder\. Install Go 1\.26\.8 or newer: https:/,
    );
    await expect(failure).rejects.toBeInstanceOf(ToolError);
  });
});

describe("a Go that is too old", () => {
  it.each([
    "go: go.mod requires go >= 1.999.0 (running go 1.24.4; GOTOOLCHAIN=local)",
    "go: errors parsing go.mod:\ngo.mod:3: invalid go version '1.999.0': must match format 1.23",
    "go: download go1.999.0 for linux/amd64: toolchain not available",
  ])("is distinguished from other failures: %s", async (text) => {
    box.script("go", `#!/bin/sh\ncat >&2 <<'END'\n${text}\nEND\nexit 1\n`);
    const failure = go(futureModule(), ["build"]);
    await expect(failure).rejects.toThrow(/bin\/go is too old: .*Install Go 1\.999\.0 or newer/);
  });

  it("is detected before a build if it does not fail itself", async () => {
    box.script("go", "#!/bin/sh\necho go1.19.8\necho linux\necho amd64\n");
    await expect(goToolchain(futureModule())).rejects.toThrow(
      /bin\/go is too old: go1\.19\.8\. Install Go 1\.999\.0/,
    );
  });

  it.runIf(realGo).each([
    ["must not download a newer version", "local", "off"],
    ["can't download a newer version", "auto", "http://127.0.0.1:9"],
  ])("is detected if the installed Go %s", async (_case, toolchain, proxy) => {
    vi.stubEnv("PATH", `${dirname(realGo!)}:${process.env.PATH}`);
    vi.stubEnv("GOTOOLCHAIN", toolchain);
    vi.stubEnv("GOPROXY", proxy);
    await expect(goToolchain(futureModule())).rejects.toThrow(
      /go is too old: .*Install Go 1\.999\.0 or newer/,
    );
  });
});

describe("other failures", () => {
  it("show the end of Go's output, without its progress", async () => {
    const module = dirname(box.write("module/go.mod", "module example.com/a\n"));
    box.script(
      "go",
      "#!/bin/sh\necho go1.26.8\n[ $1 = env ] || { echo example.com/a >&2; echo 'undefined: boom' >&2; exit 1; }\n",
    );
    const failure = go(module, ["build"], {}, (line) => line === "example.com/a");
    await expect(failure).rejects.toThrow(
      /module: "go build" failed \(exit 1\):\nundefined: boom$/,
    );
  });
});

describe("an interrupted build", () => {
  const isAlive = (pid: string) => existsSync(`/proc/${pid}`);

  it.each([
    ["SIGINT", 2],
    ["SIGTERM", 2],
    ["SIGHUP", 2],
    // This process cannot react, but Go is stopped and starts no further compilers.
    ["SIGKILL", 1],
  ] as const)("stops its processes: %s", async (signal, ended) => {
    const module = dirname(box.write("module/go.mod", "module example.com/a\n"));
    const pids = join(box.folder, "pids");
    box.script(
      "go",
      `#!/bin/sh\n[ "$1" = build ] || { echo go1.26.8; exit; }\n` +
        `sleep 60 & echo $$ > ${pids}.part; echo $! >> ${pids}.part; mv ${pids}.part ${pids}; wait\n`,
    );
    const script = join(process.cwd(), "test/support/run-go.ts");
    const runner = spawn(process.execPath, ["--import", "tsx", script, module], {
      stdio: "ignore",
    });
    const read = async () => box.read("pids");
    const processes = await waitFor("Go to run", 15, read, (pids) => pids.length === 2);
    runner.kill(signal);
    expect(await once(runner, "exit")).toEqual([null, signal]);
    const left = async () => processes.slice(0, ended).filter(isAlive);
    await waitFor("its processes to exit", 5, left, (pids) => pids.length === 0);
    for (const pid of processes.filter(isAlive)) {
      process.kill(Number(pid), "SIGKILL");
    }
  });
});
