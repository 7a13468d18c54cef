import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Report } from "../../toolchain";
import { unlocking } from "../common/terminal";
import { kill, orphanedProviders, type Process, processesWith } from "./process-table";

/** The content that Pulumi's engine writes into a lock. */
interface Owner {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/** A lock of a stack whose state is in a folder; without owner where it was not written completely. */
interface Lock {
  readonly file: string;
  readonly owner?: Owner;
}

/** Whether the process that a lock names still runs. It may be a process of another machine. */
type OwnerState = "ended" | "running" | "on another machine";

/** Suffix of the file that the engine writes beside each file, with the type of its content. */
const ATTRIBUTES = ".attrs";

/** Milliseconds by which clocks may differ, and for which a lock may be incomplete. */
const TOLERANCE = 10_000;

/**
 * Whether a lock's owner still runs. A process with its number that is not Pulumi and started later reuses the number.
 * @param processes processes of this machine with a number, here or in a container
 */
export function ownerState(
  owner: Owner,
  here: string,
  processes: (pid: number) => readonly Process[],
): OwnerState {
  if (owner.hostname !== here) {
    return "on another machine";
  }
  const locked = Date.parse(owner.timestamp);
  const candidates = processes(owner.pid).filter(
    ({ name, started }) => name.startsWith("pulumi") || started < locked + TOLERANCE,
  );
  return candidates.length > 0 ? "running" : "ended";
}

/**
 * Removes the locks of a stack whose owners have ended, and ends the providers that these have left running.
 * @param url of the backend; the engine itself reports locks of a backend that is no folder
 * @throws Error naming the owner of a valid lock, and the command that removes it
 */
export function removeStaleLocks(
  url: string,
  workDir: string,
  stack: string,
  report: Report,
): void {
  for (const { file, owner } of locksOf(url, workDir, stack)) {
    const who = owner ? describe(owner) : "a process that was killed while it wrote the lock";
    const state = owner ? ownerState(owner, hostname(), processesWith) : "ended";
    if (state !== "ended") {
      throw new Error(refusal(stack, who, state));
    }
    for (const pid of orphanedProviders(realpathSync(workDir))) {
      kill(pid);
    }
    for (const path of [file, `${file}${ATTRIBUTES}`]) {
      rmSync(path, { force: true });
    }
    report(`stack ${stack}: was locked by ${who}, which has ended; the lock is removed`);
  }
}

function refusal(stack: string, who: string, state: OwnerState): string {
  const why =
    state === "running"
      ? "which still runs: wait until it ends, or end it"
      : "of another machine: check there whether it still runs";
  return `stack ${stack} is locked by ${who}, ${why}. If it hangs or has ended, remove the lock: ${unlocking(stack)}`;
}

function describe({ pid, username, hostname: host, timestamp }: Owner): string {
  return `pid ${pid} of ${username} on ${host}, since ${timestamp}`;
}

function locksOf(url: string, workDir: string, stack: string): Lock[] {
  const folder = folderOf(url, workDir);
  const locks = join(folder ?? "", ".pulumi/locks/organization/ml-platform", stack);
  if (!folder || !existsSync(locks)) {
    return [];
  }
  return readdirSync(locks)
    .filter((name) => !name.endsWith(ATTRIBUTES))
    .map((name) => lockIn(join(locks, name)))
    .filter((lock) => lock !== undefined);
}

/** The lock in a file; undefined where the file no longer exists, or may still be written. */
function lockIn(file: string): Lock | undefined {
  try {
    const text = readFileSync(file, "utf8");
    const incomplete = Date.now() - statSync(file).mtimeMs < TOLERANCE ? undefined : { file };
    return parsed(file, text) ?? incomplete;
  } catch {
    return undefined;
  }
}

function parsed(file: string, text: string): Lock | undefined {
  try {
    const owner = JSON.parse(text) as Owner;
    return Number.isInteger(owner.pid) && owner.hostname ? { file, owner } : undefined;
  } catch {
    return undefined;
  }
}

/** The folder of a backend's URL, which the engine reads relative to the project's folder. */
export function folderOf(url: string, workDir: string): string | undefined {
  const [, path] = /^file:\/\/([^?]*)/.exec(url) ?? [];
  return path === undefined ? undefined : resolve(workDir, path.replace(/^~(?=\/|$)/, homedir()));
}
