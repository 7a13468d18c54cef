import { readFileSync } from "node:fs";

/** Milliseconds of a clock tick: what the kernel tells programs is in hundredths of a second (USER_HZ) on every machine. */
export const TICK = 10;

/** How a process is recognised after the program that started it has gone. */
export interface ProcessRecord {
  pid: number;
  /** Kernel start time in clock ticks since boot: with the pid it names one process for ever. */
  startTime: string;
  /** Hash of the command and its configuration: another one means that the part must be restarted. */
  fingerprint: string;
}

/** State letter and start time from the text of /proc/PID/stat; the command name in it may hold spaces and brackets. */
export function parseStat(text: string): { state: string; startTime: string } {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", startTime: fields[19] ?? "" };
}

/** The three words that a part's launcher writes, or undefined for anything else (a file cut short, say). */
export function parseRecord(text: string): ProcessRecord | undefined {
  const match = /^(\d+) (\d+) ([0-9a-f]+)\n$/.exec(text);
  const [, pid, startTime, fingerprint] = match ?? [];
  return pid && startTime && fingerprint ? { pid: Number(pid), startTime, fingerprint } : undefined;
}

/** Start time of a running process; undefined if there is none, or only its corpse. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const { state, startTime } = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return state === "Z" || state === "X" ? undefined : startTime;
  } catch {
    return undefined;
  }
}

/** Whether the very process of the record still runs (a recycled pid does not count). */
export function isRunning(record: Pick<ProcessRecord, "pid" | "startTime">): boolean {
  return startTimeOf(record.pid) === record.startTime;
}

/** Whether a process was stopped by a signal (SIGSTOP): it answers nothing until it is told to go on. */
export function isSuspended(pid: number): boolean {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8")).state === "T";
  } catch {
    return false;
  }
}

/** Resident memory of a process in MiB; 0 if it has gone. */
export function memoryOf(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Math.round(Number(match?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/** One end of a part, as its supervisor notes it. */
export interface PartEnd {
  time: Date;
  /** Exit code; 128 and more is a signal: 137 is SIGKILL. */
  code: number;
}

/** The lines `SECONDS CODE` that a supervisor writes; a line cut short is left out. */
export function parseEnds(text: string): PartEnd[] {
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

/** Time that a process has spent on the processors, in milliseconds; 0 if it has gone. */
export function processorTimeOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  } catch {
    return 0;
  }
}
