import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { which } from "./on-path";

/** A command that has started: its input is empty, its outputs are ours. */
export type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Ends a command and all that it has started. */
export function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

/**
 * Ends a command when this process is told to end. Who listens to the signal too decides what becomes of this process; where
 * nobody does, it ends as without this listener.
 */
function endWithUs(child: ChildProcess): void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) {
    const listener = () => {
      endGroup(child);
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    process.once(signal, listener);
    for (const end of ["exit", "error"]) child.once(end, () => process.off(signal, listener));
  }
}

/**
 * Starts a command in a process group of its own, so that what it starts ends with it, and both end with this process. Where
 * this process is killed and can do nothing about it, the kernel ends at least the command.
 */
export function startGroup(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Child {
  const dying = which("setpriv") ? ["setpriv", "--pdeathsig", "KILL"] : [];
  const [program = command, ...rest] = [...dying, command, ...args];
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithUs(child);
  return child;
}
