import { existsSync, readdirSync, readFileSync } from "node:fs";
import { parseStat } from "../lab/cluster/process-record";

/** What this machine knows of a process. */
export interface Process {
  /** Name of its executable, at most 15 characters. */
  name: string;
  /** When it was started, in milliseconds since 1970. */
  started: number;
}

/** Milliseconds of a clock tick: what the kernel tells programs is in hundredths of a second on every machine. */
const TICK = 10;

/**
 * The processes that have a number: the one of this name space, and those that have it in a container of their own. What has
 * ended and was only not taken notice of (a zombie) is none of them. Without /proc only the number is known.
 */
export function processesWith(pid: number): Process[] {
  if (!existsSync("/proc/stat")) return answers(pid) ? [{ name: "", started: 0 }] : [];
  const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]) * 1000;
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      const found = processIn(`/proc/${entry}`, boot);
      return found?.numbers.includes(pid) ? [found] : [];
    });
}

function processIn(folder: string, boot: number): (Process & { numbers: number[] }) | undefined {
  try {
    const status = readFileSync(`${folder}/status`, "utf8");
    const { state, startTime } = parseStat(readFileSync(`${folder}/stat`, "utf8"));
    if (state === "Z" || state === "X") return undefined;
    const field = (name: string) => new RegExp(`^${name}:\\t(.*)$`, "m").exec(status)?.[1] ?? "";
    const numbers = (field("NSpid") || field("Pid")).split("\t").map(Number);
    return { name: field("Name"), started: boot + Number(startTime) * TICK, numbers };
  } catch {
    return undefined;
  }
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
