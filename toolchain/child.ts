import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { which } from "./on-path";

/** A started command with empty input and piped output. */
export type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Stops a command and all processes that it has started. */
export function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid) {
      process.kill(-pid, "SIGKILL");
    }
  } catch {
    // It has just exited.
  }
}

/**
 * Stops a command when this process gets a signal to stop. Other listeners decide whether this process exits; without any, it
 * exits as without this listener.
 */
function stopWithThisProcess(child: ChildProcess): void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) {
    const listener = () => {
      endGroup(child);
      if (process.listenerCount(signal) === 0) {
        process.kill(process.pid, signal);
      }
    };
    process.once(signal, listener);
    for (const end of ["exit", "error"]) {
      child.once(end, () => process.off(signal, listener));
    }
  }
}

/**
 * Starts a command in a process group of its own, so that the processes that it starts stop with it, and all stop with this
 * process. If this process is killed, the kernel stops at least the command.
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
  stopWithThisProcess(child);
  return child;
}
