import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RUN, SUPERVISOR } from "../../../lab/cluster/launcher";
import { isRunning, parseEnds, parseRecord } from "../../../lab/cluster/process-record";

let folder: string;
let groups: number[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "launcher-"));
  groups = [];
});

afterEach(() => {
  for (const group of groups) signal(group, "SIGKILL");
  rmSync(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
const text = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), "utf8") : "");
const record = (name: string) => parseRecord(text(name));

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // it has gone
  }
}

/** Starts a supervisor as a lab does, with a file in place of the cgroup's. */
function supervise(pauses: string, ...command: string[]) {
  const files = ["cgroup", "own", "part", "ends"].map(file);
  const args = ["-c", SUPERVISOR, "sh", ...files, pauses, "00ff", RUN, ...command];
  const child = spawn("/bin/sh", args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  groups.push(child.pid ?? 0);
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (it) => (log += it));
  return { child, pid: child.pid ?? 0, log: () => log };
}

/** Processes of a group that are not only corpses. */
function membersOf(group: number): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
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
  it("joins the cgroup, notes itself and its part, and passes the words on as they are", async () => {
    const out = file("out");
    const script = 'printf "%s|" "$@" > "$0"; exec sleep 60';
    const { pid } = supervise("1", "sh", "-c", script, out, "a b", "$HOME", "");
    await vi.waitFor(() => expect(text("out")).toBe("a b|$HOME||"), 10_000);
    expect(text("cgroup")).toBe(`${pid}\n`);
    expect(record("own")).toMatchObject({ pid, fingerprint: "00ff" });
    const part = record("part");
    expect(part?.pid).not.toBe(pid);
    expect(part && isRunning(part)).toBe(true);
  });

  it("starts a part again that was killed", async () => {
    const { log } = supervise("0 0 0", "sleep", "60");
    await vi.waitFor(() => expect(record("part")).toBeDefined(), 10_000);
    const first = record("part")?.pid ?? 0;
    process.kill(first, "SIGKILL");
    await vi.waitFor(() => expect(record("part")?.pid).not.toBe(first), 10_000);
    await vi.waitFor(() => {
      const now = record("part");
      expect(now && isRunning(now)).toBe(true);
    }, 10_000);
    expect(parseEnds(text("ends")).map(({ code }) => code)).toEqual([137]);
    expect(log()).toContain("lab: ended with exit code 137; started again in 0 s");
  });

  it("gives a part up that never stays, after as many tries as it has pauses", async () => {
    const { child, log } = supervise("0 0 0", "sh", "-c", "echo cannot run; exit 3");
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(parseEnds(text("ends")).map((end) => end.code)).toEqual([3, 3, 3, 3]);
    expect(log().match(/cannot run/g)).toHaveLength(4);
    expect(log().trim().split("\n").at(-1)).toBe(
      "lab: ended with exit code 3, and is not started again",
    );
  });

  it("gives a command up that is not there, and says so", async () => {
    const { child, log } = supervise("0", file("nothing"));
    await once(child, "close");
    expect(log()).toContain("nothing");
    expect(parseEnds(text("ends")).map(({ code }) => code)).toEqual([127, 127]);
  });

  it("is ended with its part by one signal, at whatever moment", { timeout: 60_000 }, async () => {
    for (let round = 0; round < 25; round += 1) {
      // Parts that end at once: most moments are between two runs.
      const { pid, child } = supervise("0 ".repeat(500).trim(), "true");
      const closed = once(child, "close");
      await new Promise((done) => setTimeout(done, 5 + round * 4));
      signal(pid, "SIGTERM");
      await closed;
      await vi.waitFor(() => expect(membersOf(pid)).toEqual([]), 5000);
    }
  });
});

describe("parseEnds", () => {
  it("reads whole lines, and leaves out one that is cut short", () => {
    writeFileSync(file("ends"), "1700000000 137\n1700000005 1\n17000");
    expect(parseEnds(text("ends"))).toEqual([
      { time: new Date(1_700_000_000_000), code: 137 },
      { time: new Date(1_700_000_005_000), code: 1 },
    ]);
  });
});
