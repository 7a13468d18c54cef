import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import {
  ageOf,
  cpuTimeOf,
  isRunning,
  isSuspended,
  memoryOf,
  parseRecord,
  parseStat,
  startTimeOf,
} from "../../../lab/cluster/process-record";

const STAT_TAIL = "1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 9 0 123456 11 12 18446744073709551615";

describe("parseStat", () => {
  it("finds state and start time", () => {
    expect(parseStat(`42 (etcd) S ${STAT_TAIL}`)).toEqual({ state: "S", startTime: "123456" });
  });

  it("accepts parentheses and spaces in the command name", () => {
    const stat = parseStat(`42 (a) R (b c) Z ${STAT_TAIL}`);
    expect(stat).toEqual({ state: "Z", startTime: "123456" });
  });

  it("reads /proc of this machine", () => {
    const { state, startTime } = parseStat(readFileSync("/proc/self/stat", "utf8"));
    expect(state).toMatch(/^[RSD]$/);
    expect(Number(startTime)).toBeGreaterThan(0);
  });
});

describe("parseRecord", () => {
  it("reads what the launcher writes", () => {
    expect(parseRecord("42 123456 00ff\n")).toEqual({
      pid: 42,
      startTime: "123456",
      fingerprint: "00ff",
    });
  });

  it.each(["", "42", "42 123456 00ff", "42 123456\n", "x 1 00ff\n", "42 1 00ff extra\n"])(
    "does not accept %j",
    (text) => expect(parseRecord(text)).toBeUndefined(),
  );
});

describe("the identity of a process", () => {
  it("is valid while the process runs, and not with another start time", () => {
    const startTime = startTimeOf(process.pid) ?? "";
    expect(isRunning({ pid: process.pid, startTime })).toBe(true);
    expect(isRunning({ pid: process.pid, startTime: `${startTime}1` })).toBe(false);
    expect(memoryOf(process.pid)).toBeGreaterThan(10);
  });

  it("includes whether a process was stopped by a signal", async () => {
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    expect(isSuspended(pid)).toBe(false);
    process.kill(pid, "SIGSTOP");
    await vi.waitFor(() => expect(isSuspended(pid)).toBe(true));
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isSuspended(pid)).toBe(false);
  });

  it("includes the age and the CPU time of a process", () => {
    const startTime = startTimeOf(process.pid) ?? "";
    const age = ageOf({ startTime });
    expect(Math.abs(age - process.uptime() * 1000)).toBeLessThan(5000);
    const used = process.cpuUsage();
    const expected = (used.user + used.system) / 1000;
    expect(Math.abs(cpuTimeOf(process.pid) - expected)).toBeLessThan(500);
  });

  it("is invalid after the process has exited", async () => {
    const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
    await once(child, "spawn");
    const record = { pid: child.pid ?? 0, startTime: startTimeOf(child.pid ?? 0) ?? "" };
    expect(isRunning(record)).toBe(true);
    child.stdin?.end();
    await once(child, "exit");
    expect(isRunning(record)).toBe(false);
    expect(memoryOf(record.pid)).toBe(0);
  });
});
