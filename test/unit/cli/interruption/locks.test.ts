import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir, hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { folderOf, ownerState, removeStaleLocks } from "../../../../cli/interruption/locks";
import { orphanedProviders, processesWith } from "../../../../cli/interruption/process-table";
import { waitFor } from "../../../support/wait";

const LOCKED = "2026-01-02T03:04:05.678901234Z";
const at = Date.parse(LOCKED);
const owner = { pid: 42, username: "root", hostname: "here", timestamp: LOCKED };

describe("the owner of a lock", () => {
  test.each([
    ["there is no process", [], "ended"],
    ["the engine has this pid", [{ name: "pulumi", started: at - 3000 }], "running"],
    [
      "the engine has this pid, and the clock was set",
      [{ name: "pulumi", started: at + 3_600_000 }],
      "running",
    ],
    [
      "an engine with another name has this pid",
      [{ name: "engine", started: at - 3000 }],
      "running",
    ],
    ["another process reuses its pid", [{ name: "sh", started: at + 60_000 }], "ended"],
    [
      "an engine in a container has the same pid as another process",
      [
        { name: "sh", started: at + 60_000 },
        { name: "pulumi", started: at - 3000 },
      ],
      "running",
    ],
  ])("if %s: is %j", (_what, processes, expected) => {
    expect(ownerState(owner, "here", () => processes)).toBe(expected);
  });

  test("is not looked up if it is on another machine", () => {
    expect(ownerState(owner, "there", () => [])).toBe("on another machine");
  });
});

describe("the process table", () => {
  test("contains this process, with its start time", () => {
    const [found, ...more] = processesWith(process.pid);
    expect(more).toEqual([]);
    const began = Date.now() - process.uptime() * 1000;
    expect(Math.abs((found?.started ?? 0) - began)).toBeLessThan(2000);
  });

  test("contains no zombie", async () => {
    // The shell becomes a program that never waits for its child.
    const parent = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 30"]);
    const [line] = await once(parent.stdout, "data");
    const pid = Number(`${line}`);
    const letter = async () => {
      for (;;) {
        const found = processesWith(pid).length;
        if (found === 0) {
          return found;
        }
      }
    };
    expect(await letter()).toBe(0);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    parent.kill();
  });
});

test("a provider of a killed engine is found by its working directory, and stopped when the lock is removed", async () => {
  const project = realpathSync(mkdtempSync(join(tmpdir(), "project-")));
  const binary = (name: string) => join(project, name);
  for (const name of ["pulumi", "pulumi-resource-kubernetes"]) {
    copyFileSync("/bin/sh", binary(name));
  }
  // The first process starts the second one, which waits for input that is never sent.
  const script = `${binary("pulumi-resource-kubernetes")} -c 'read nothing' <&3 & echo $!; read more`;
  const engine = spawn(binary("pulumi"), ["-c", script], {
    cwd: project,
    stdio: ["pipe", "pipe", "inherit", "pipe"],
  });
  const [line] = await once(engine.stdout as Readable, "data");
  expect(orphanedProviders(project)).toEqual([]);
  engine.kill("SIGKILL");
  await once(engine, "exit");
  expect(orphanedProviders(project)).toEqual([Number(`${line}`)]);
  expect(orphanedProviders("/")).toEqual([]);

  const locks = join(project, ".pulumi/locks/organization/ml-platform/dev");
  mkdirSync(locks, { recursive: true });
  const content = { ...owner, pid: engine.pid, hostname: hostname() };
  writeFileSync(join(locks, "a.json"), JSON.stringify(content));
  removeStaleLocks(`file://${project}`, project, "dev", () => {});
  await waitFor(
    "the provider to exit",
    5,
    async () => orphanedProviders(project),
    (left) => left.length === 0,
  );
  rmSync(project, { recursive: true });
});

test.each([
  ["file://.state", "/project/.state"],
  ["file:///var/state", "/var/state"],
  ["file://~", homedir()],
  ["file://~/state?no_tmp_dir=true", join(homedir(), "state")],
  ["s3://bucket/state", undefined],
  ["https://api.pulumi.com", undefined],
])("the folder of the backend %s is %s", (url, folder) => {
  expect(folderOf(url, "/project")).toBe(folder);
});

describe("the locks of a stack", () => {
  let folder: string;
  let locks: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "locks-"));
    locks = join(folder, ".pulumi/locks/organization/ml-platform/dev");
    mkdirSync(locks, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const lines: string[] = [];
  const act = () => {
    lines.length = 0;
    removeStaleLocks(`file://${folder}`, "/", "dev", (line) => void lines.push(line));
  };
  const lock = (name: string, text: string) => {
    writeFileSync(join(locks, name), text);
    return join(locks, name);
  };

  test("may not exist, or be in a remote backend: then none is removed", () => {
    removeStaleLocks(`file://${join(folder, "absent")}`, "/", "dev", () => {});
    removeStaleLocks("s3://bucket", "/", "dev", () => {});
  });

  test("are removed if their owner has exited, and this is reported", async () => {
    const child = spawn("true");
    await once(child, "exit");
    const content = { ...owner, pid: child.pid, hostname: hostname() };
    const file = lock("a.json", JSON.stringify(content));
    const beside = lock("a.json.attrs", '{"user.content_type":"application/json"}');
    act();
    expect([existsSync(file), existsSync(beside)]).toEqual([false, false]);
    expect(lines).toEqual([
      `stack dev: was locked by pid ${child.pid} of root on ${hostname()}, since ${LOCKED}, which has ended; the lock is removed`,
    ]);
  });

  test("are kept if their owner runs, and the error names the owner and the command that removes them", () => {
    const content = { ...owner, pid: process.pid, hostname: hostname() };
    const file = lock(
      "a.json",
      JSON.stringify({ ...content, timestamp: new Date().toISOString() }),
    );
    expect(act).toThrow(
      new RegExp(
        `stack dev is locked by pid ${process.pid} of root .* still runs: .* npm run pulumi -- cancel --yes --stack dev$`,
      ),
    );
    expect(existsSync(file)).toBe(true);
  });

  test("are kept if their owner is on another machine", () => {
    const file = lock("a.json", JSON.stringify({ ...owner, hostname: `not-${hostname()}` }));
    expect(act).toThrow(/of another machine: check there .* npm run pulumi -- cancel/);
    expect(existsSync(file)).toBe(true);
  });

  test.each(["", '{"pid":4'])("are removed if their content is %j for a long time", (text) => {
    const file = lock("a.json.1764150000.tmp", text);
    act();
    expect(existsSync(file)).toBe(true);
    const long = Date.now() / 1000 - 60;
    utimesSync(file, long, long);
    act();
    expect(existsSync(file)).toBe(false);
    expect(lines.join()).toContain("killed while it wrote the lock");
  });
});
