import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RUN, SUPERVISOR } from "../../../lab/cluster/launcher";
import { isRunning, parseExits, parseRecord } from "../../../lab/cluster/process-record";

let folder: string;
let groups: number[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "launcher-"));
  groups = [];
});

afterEach(() => {
  for (const group of groups) {
    signal(group, "SIGKILL");
  }
  rmSync(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
const text = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), "utf8") : "");
const record = (name: string) => parseRecord(text(name));

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // it has exited
  }
}

/** Starts a supervisor as a lab does, with a file instead of a cgroup. */
function supervise(pauses: string, ...command: string[]) {
  const files = ["cgroup", "own", "component", "exits"].map(file);
  const args = ["-c", SUPERVISOR, "sh", ...files, pauses, "00ff", RUN, ...command];
  const child = spawn("/bin/sh", args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  groups.push(child.pid ?? 0);
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (it) => (log += it));
  }
  return { child, pid: child.pid ?? 0, log: () => log };
}

/** Processes of a group, except for zombies. */
function membersOf(group: number): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) {
      return false;
    }
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(pgrp) === group && state !== "Z";
    } catch {
      return false;
    }
  });
}

describe("a supervisor", () => {
  it("joins the cgroup, writes both records, and does not change the arguments", async () => {
    const out = file("out");
    const script = 'printf "%s|" "$@" > "$0"; exec sleep 60';
    const { pid } = supervise("1", "sh", "-c", script, out, "a b", "$HOME", "");
    await vi.waitFor(() => expect(text("out")).toBe("a b|$HOME||"), 10_000);
    expect(text("cgroup")).toBe(`${pid}\n`);
    expect(record("own")).toMatchObject({ pid, fingerprint: "00ff" });
    const component = record("component");
    expect(component?.pid).not.toBe(pid);
    expect(component && isRunning(component)).toBe(true);
  });

  it("restarts a component that was killed", async () => {
    const { log } = supervise("0 0 0", "sleep", "60");
    await vi.waitFor(() => expect(record("component")).toBeDefined(), 10_000);
    const first = record("component")?.pid ?? 0;
    process.kill(first, "SIGKILL");
    await vi.waitFor(() => expect(record("component")?.pid).not.toBe(first), 10_000);
    await vi.waitFor(() => {
      const now = record("component");
      expect(now && isRunning(now)).toBe(true);
    }, 10_000);
    expect(parseExits(text("exits")).map(({ code }) => code)).toEqual([137]);
    expect(log()).toContain("lab: exited with code 137; restarted in 0 s");
  });

  it("stops restarting a component that always fails, after the given number of pauses", async () => {
    const { child, log } = supervise("0 0 0", "sh", "-c", "echo cannot run; exit 3");
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(parseExits(text("exits")).map((end) => end.code)).toEqual([3, 3, 3, 3]);
    expect(log().match(/cannot run/g)).toHaveLength(4);
    expect(log().trim().split("\n").at(-1)).toBe("lab: exited with code 3, and is not restarted");
  });

  it("stops restarting a missing command, and logs the reason", async () => {
    const { child, log } = supervise("0", file("nothing"));
    await once(child, "close");
    expect(log()).toContain("nothing");
    expect(parseExits(text("exits")).map(({ code }) => code)).toEqual([127, 127]);
  });

  it("is stopped together with its component by one signal, at any moment", {
    timeout: 60_000,
  }, async () => {
    for (let round = 0; round < 25; round += 1) {
      // The component exits at once: most moments are between two runs.
      const { pid, child } = supervise("0 ".repeat(500).trim(), "true");
      const closed = once(child, "close");
      await new Promise((done) => setTimeout(done, 5 + round * 4));
      signal(pid, "SIGTERM");
      await closed;
      await vi.waitFor(() => expect(membersOf(pid)).toEqual([]), 5000);
    }
  });
});

describe("parseExits", () => {
  it("reads complete lines, and ignores an incomplete one", () => {
    writeFileSync(file("exits"), "1700000000 137\n1700000005 1\n17000");
    expect(parseExits(text("exits"))).toEqual([
      { time: new Date(1_700_000_000_000), code: 137 },
      { time: new Date(1_700_000_005_000), code: 1 },
    ]);
  });
});
