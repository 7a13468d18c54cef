import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ToolError } from "./error";

/** Receives one line of progress for the user. */
export type Report = (line: string) => void;

/**
 * The folder for files that are expensive to create and can be removed: `$ML_PLATFORM_CACHE`, else
 * `ml-platform` in `$XDG_CACHE_HOME`, else in `~/.cache`. It is never in the checkout.
 */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env.ML_PLATFORM_CACHE) {
    return env.ML_PLATFORM_CACHE;
  }
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ml-platform");
}

/** A duration as text: `0.4 s`, `42 s`, `4 min 12 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Tools in one line: `kubectl 1.34.3`, `kubectl, kubelet`, or a few of them `and 12 more`. */
export function namesOf(tools: readonly { name: string; pin: { version: string } }[]): string {
  const [only] = tools;
  if (only && tools.length === 1) {
    return `${only.name} ${only.pin.version}`;
  }
  const shown = tools.length > 5 ? 4 : tools.length;
  const names = tools.slice(0, shown).map(({ name }) => name);
  const more = tools.length - shown;
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Starts flock(1), which holds a lock on `file` until its input ends; undefined if it is locked already. */
async function hold(file: string, flags: readonly string[]): Promise<(() => void) | undefined> {
  const holder = spawn("flock", [...flags, file, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    holder.once("exit", () => resolve());
    holder.once("error", (error) => {
      reject(
        new ToolError(`${file}: cannot lock (${error}). Install util-linux, which has flock.`),
      );
    });
  });
  const held = await Promise.race([once(holder.stdout, "data").then(() => true), ended]);
  ended.catch(() => undefined);
  return held === true ? () => void holder.stdin.end() : undefined;
}

/**
 * Runs `work` with an exclusive lock on `file`. The kernel releases the lock of a process that exits, so that
 * a lock is never stale. `onWait` is called once if another process holds the lock.
 */
export async function withLock<T>(
  file: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  let release = await hold(file, ["--nonblock"]);
  if (!release) {
    onWait();
    release = await hold(file, []);
  }
  if (!release) {
    throw new Error(`${file}: flock exited without the lock.`);
  }
  try {
    return await work();
  } finally {
    release();
  }
}
