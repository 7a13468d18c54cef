import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { ROOT } from "../../cli/stack";
import { startTimeOf } from "../../lab/cluster/process-record";
import { waitFor } from "./wait";

/** A command in a session of its own, as npm starts it, with its descendants. */
export class CommandProcess {
  /** The output so far. */
  output = "";
  private readonly child: ChildProcess;

  /** @param env variables in addition to those of the test */
  constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, ["cli/own-session.cjs", script, ...args], {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        process.stdout.write(text);
      });
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits for a line of output, or for the exit. */
  async waitForOutput(line: string, seconds: number): Promise<void> {
    const exited = () => this.child.exitCode !== null || this.child.signalCode !== null;
    const read = async () => this.output.includes(line) || exited();
    await waitFor(line, seconds, read, Boolean);
  }

  /** The exit code, after all descendants have closed the output. */
  async exitCode(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, "close");
    }
    return this.child.exitCode;
  }

  /** Kills it and all descendants, parents first, so that no process can react, and returns when none is left. */
  async kill(): Promise<void> {
    const tree = processTree(this.pid);
    for (const pid of tree) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has exited.
      }
    }
    const left = async () => tree.filter((pid) => startTimeOf(pid) !== undefined);
    await waitFor("the exit of the killed processes", 10, left, (pids) => pids.length === 0);
  }
}

/** A process and its descendants, parents first. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(entry);
    if (parent !== undefined) {
      parents.set(Number(entry), parent);
    }
  }
  const found = [root];
  for (const pid of found) {
    for (const [child, parent] of parents) {
      if (parent === pid) {
        found.push(child);
      }
    }
  }
  return found;
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}
