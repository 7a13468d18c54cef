import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { parseStat, TICK } from "../../lab/cluster/process-record";

/** A process of this machine. */
export interface Process {
  /** Name of its executable, at most 15 characters. */
  readonly name: string;
  /** Start time, in milliseconds since 1970. */
  readonly started: number;
}

/**
 * The processes with a number: the one in this PID namespace, and those that have it in a container. Zombies are left out.
 * Without /proc only the number is known.
 */
export function processesWith(pid: number): Process[] {
  if (!existsSync("/proc/stat")) {
    return exists(pid) ? [{ name: "", started: 0 }] : [];
  }
  const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]) * 1000;
  return all()
    .filter(({ numbers }) => numbers.includes(pid))
    .map(({ name, ticks }) => ({ name, started: boot + ticks * TICK }));
}

/**
 * The providers that a killed engine has left running: they may still create what it asked for. Each works in the folder of
 * its project.
 * @returns their process numbers
 */
export function orphanedProviders(folder: string): number[] {
  if (!existsSync("/proc/stat")) {
    return [];
  }
  const table = all();
  const engines = new Set(table.filter(({ name }) => name === "pulumi").map(({ pid }) => pid));
  return table
    .filter(({ name, parent }) => name.startsWith("pulumi-resource") && !engines.has(parent))
    .filter(({ pid }) => workingFolder(pid) === folder)
    .map(({ pid }) => pid);
}

/** Kills a process, which may have ended by itself. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Start time, in ticks since the machine started. */
  readonly ticks: number;
  /** Its number in this PID namespace, and in those below it. */
  readonly numbers: number[];
}

function all(): Entry[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => entryOf(Number(entry)) ?? []);
}

function entryOf(pid: number): Entry | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const { state, startTime } = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    if (state === "Z" || state === "X") {
      return undefined;
    }
    const field = (key: string) => new RegExp(`^${key}:\\t(.*)$`, "m").exec(status)?.[1] ?? "";
    const numbers = (field("NSpid") || `${pid}`).split("\t").map(Number);
    const [name, parent] = [field("Name"), Number(field("PPid"))];
    return { pid, parent, name, ticks: Number(startTime), numbers };
  } catch {
    return undefined;
  }
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
