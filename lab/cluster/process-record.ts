import { readFileSync } from "node:fs";

/** Milliseconds of a clock tick: times in /proc are in hundredths of a second (USER_HZ) on every machine. */
export const TICK = 10;

/** Identifies a process after the program that started it has exited. */
export interface ProcessRecord {
  readonly pid: number;
  /** Kernel start time in clock ticks since boot: together with the pid it is unique. */
  readonly startTime: string;
  /** Hash of the command and its configuration: if it changes, the component must be restarted. */
  readonly fingerprint: string;
}

/** State letter and start time from the text of /proc/PID/stat; the command name in it may contain spaces and parentheses. */
export function parseStat(text: string): { state: string; startTime: string } {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", startTime: fields[19] ?? "" };
}

/** The record that a supervisor writes, or undefined for anything else (such as an incomplete file). */
export function parseRecord(text: string): ProcessRecord | undefined {
  const match = /^(\d+) (\d+) ([0-9a-f]+)\n$/.exec(text);
  const [, pid, startTime, fingerprint] = match ?? [];
  return pid && startTime && fingerprint ? { pid: Number(pid), startTime, fingerprint } : undefined;
}

/** Start time of a running process; undefined if there is none, or a zombie. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const { state, startTime } = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return state === "Z" || state === "X" ? undefined : startTime;
  } catch {
    return undefined;
  }
}

/** Whether the process of the record still runs; another process with the same pid does not count. */
export function isRunning(record: Pick<ProcessRecord, "pid" | "startTime">): boolean {
  return startTimeOf(record.pid) === record.startTime;
}

/** Whether a process was stopped by a signal (SIGSTOP): it does nothing until SIGCONT. */
export function isSuspended(pid: number): boolean {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8")).state === "T";
  } catch {
    return false;
  }
}

/** Resident memory of a process in MiB; 0 if it has exited. */
export function memoryOf(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Math.round(Number(match?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/** One exit of a component, as its supervisor records it. */
export interface ProcessExit {
  readonly time: Date;
  /** Exit code; 128 and more is a signal: 137 is SIGKILL. */
  readonly code: number;
}

/** The lines `SECONDS CODE` that a supervisor writes; an incomplete line is ignored. */
export function parseExits(text: string): ProcessExit[] {
  const lines = [...text.matchAll(/^(\d+) (\d+)\n/gm)];
  return lines.map(([, time, code]) => ({
    time: new Date(Number(time) * 1000),
    code: Number(code),
  }));
}

/** Age of a process in milliseconds. */
export function ageOf({ startTime }: Pick<ProcessRecord, "startTime">): number {
  const [uptime] = readFileSync("/proc/uptime", "utf8").split(" ");
  return Number(uptime) * 1000 - Number(startTime) * TICK;
}

/** CPU time of a process in milliseconds; 0 if it has exited. */
export function cpuTimeOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  } catch {
    return 0;
  }
}
