import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Report } from "../../toolchain";
import { lifting } from "../common/terminal";
import { kill, orphanedProviders, type Process, processesWith } from "./process-table";

/** What Pulumi's engine writes into a lock. */
interface Owner {
  pid: number;
  username: string;
  hostname: string;
  timestamp: string;
}

/** A lock of a stack whose state is in a folder; no owner where its writer did not come to the end. */
interface Lock {
  file: string;
  owner?: Owner;
}

/** Whether the process that a lock names still runs: it may be one of another machine. */
type Verdict = "gone" | "runs" | "elsewhere";

/** Ends the name of the file beside each that the engine writes: what type its content is of. */
const ATTRIBUTES = ".attrs";

/** Milliseconds by which clocks may differ, and for which a lock may be half written. */
const SLACK = 10_000;

/**
 * Whether a lock's owner still runs. A process of its number that is not Pulumi's and was started later has the number anew.
 * @param processes those of this machine that have the number, here or in a container
 */
export function verdictOn(
  owner: Owner,
  here: string,
  processes: (pid: number) => readonly Process[],
): Verdict {
  if (owner.hostname !== here) return "elsewhere";
  const locked = Date.parse(owner.timestamp);
  const may = processes(owner.pid).filter(
    ({ name, started }) => name.startsWith("pulumi") || started < locked + SLACK,
  );
  return may.length > 0 ? "runs" : "gone";
}

/**
 * Takes the locks of a stack over whose owners are gone, and ends what these have left running.
 * @param url of the backend: locks of another than a folder are the engine's to tell of
 * @throws Error naming the owner of a lock that holds, and what lifts it
 */
export function takeOver(url: string, workDir: string, stack: string, report: Report): void {
  for (const { file, owner } of locksOf(url, workDir, stack)) {
    const who = owner ? describe(owner) : "a process that was killed as it wrote its name";
    const verdict = owner ? verdictOn(owner, hostname(), processesWith) : "gone";
    if (verdict !== "gone") throw new Error(refusal(stack, who, verdict));
    for (const pid of orphanedProviders(realpathSync(workDir))) kill(pid);
    for (const one of [file, `${file}${ATTRIBUTES}`]) rmSync(one, { force: true });
    report(`stack ${stack}: was locked by ${who}, which is gone; taken over`);
  }
}

function refusal(stack: string, who: string, verdict: Verdict): string {
  const why =
    verdict === "runs"
      ? "which still runs: wait for its end, or end it"
      : "of another machine: see there whether it still runs";
  return `stack ${stack} is locked by ${who}, ${why}. Where it hangs, or is gone for good: ${lifting(stack)}`;
}

function describe({ pid, username, hostname: host, timestamp }: Owner): string {
  return `pid ${pid} of ${username} on ${host}, since ${timestamp}`;
}

function locksOf(url: string, workDir: string, stack: string): Lock[] {
  const folder = folderOf(url, workDir);
  const locks = join(folder ?? "", ".pulumi/locks/organization/ml-platform", stack);
  if (!folder || !existsSync(locks)) return [];
  return readdirSync(locks)
    .filter((name) => !name.endsWith(ATTRIBUTES))
    .map((name) => lockIn(join(locks, name)))
    .filter((lock) => lock !== undefined);
}

/** What a file says; undefined where it has gone, or where its writer may still be at it. */
function lockIn(file: string): Lock | undefined {
  try {
    const text = readFileSync(file, "utf8");
    const half = Date.now() - statSync(file).mtimeMs < SLACK ? undefined : { file };
    return parsed(file, text) ?? half;
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

/** The folder that a backend's URL stands for: the engine reads it relative to the project's. */
export function folderOf(url: string, workDir: string): string | undefined {
  const [, path] = /^file:\/\/([^?]*)/.exec(url) ?? [];
  return path === undefined ? undefined : resolve(workDir, path.replace(/^~(?=\/|$)/, homedir()));
}
