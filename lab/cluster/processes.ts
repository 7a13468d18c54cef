import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { systemCgroup } from "./cgroups";
import type { Lab } from "./identity";
import { enterCommand } from "./namespaces";
import { until } from "./probe";
import { isRunning, type ProcessRecord, parseRecord } from "./process-record";

/** Time that a process gets to end by itself before it is killed, in milliseconds. */
const STOP_DEADLINE = 10_000;
const LAUNCH_DEADLINE = 5_000;
/** Lines of a log that an error shows. */
const LOG_TAIL = 12;

/**
 * Joins the lab's cgroup, writes the pid file and becomes the command, all in one process: whatever happens to the
 * program that launched it, no process of the lab is without its pid file. Arguments: cgroup file, pid file, fingerprint, command...
 */
const LAUNCHER = `set -e
echo $$ > "$1"
printf '%s %s %s\\n' $$ "$(cut -d ' ' -f 22 /proc/$$/stat)" "$3" > "$2.new"
mv "$2.new" "$2"
shift 3
exec "$@"`;

/** What it takes to launch one long-running process. */
export interface Launch {
  name: string;
  command: readonly string[];
  /** Whether it lives in the lab's network and mount namespaces, or on the host. */
  inside: boolean;
  fingerprint: string;
}

function recordFile(lab: Lab, name: string): string {
  return join(lab.paths.run, "parts", name);
}

/** Path of a part's log. */
export function logFile(lab: Lab, name: string): string {
  return join(lab.paths.logs, `${name}.log`);
}

/** Last lines of a part's log, for an error message. */
export function logTail(lab: Lab, name: string): string {
  const text = readFileSync(logFile(lab, name), "utf8").trimEnd();
  return text.split("\n").slice(-LOG_TAIL).join("\n");
}

/** The record of a part's process, if that process still runs. */
export function runningProcess(lab: Lab, name: string): ProcessRecord | undefined {
  try {
    const record = parseRecord(readFileSync(recordFile(lab, name), "utf8"));
    return record && isRunning(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process lives in the namespaces that the lab has now (it may be left over from earlier ones). */
export function livesInside(lab: Lab, pid: number): boolean {
  try {
    return (["net", "mnt"] as const).every((kind) => {
      const file = kind === "net" ? lab.paths.netns : lab.paths.mountNamespace;
      return readlinkSync(`/proc/${pid}/ns/${kind}`) === `${kind}:[${statSync(file).ino}]`;
    });
  } catch {
    return false;
  }
}

/** Starts a part's process in a session of its own and returns when its pid file stands. */
export async function launch(lab: Lab, part: Launch): Promise<ProcessRecord> {
  const pidFile = recordFile(lab, part.name);
  mkdirSync(dirname(pidFile), { recursive: true });
  rmSync(pidFile, { force: true });
  const command = part.inside ? [...enterCommand(lab), ...part.command] : part.command;
  const script = ["-c", LAUNCHER, "sh", systemCgroup(lab.scope), pidFile, part.fingerprint];
  const log = freshLog(lab, part.name);
  const child = spawn("/bin/sh", [...script, ...command], {
    detached: true,
    stdio: ["ignore", log, log],
    env: launchEnvironment(),
    cwd: "/",
  });
  closeSync(log);
  child.unref();
  return launched(lab, part.name, () => child.exitCode === null && child.signalCode === null);
}

async function launched(
  lab: Lab,
  name: string,
  stillPossible: () => boolean,
): Promise<ProcessRecord> {
  let record: ProcessRecord | undefined;
  const look = async () => {
    record = runningProcess(lab, name);
    if (!record) throw new Error(`${name} does not start:\n${logTail(lab, name)}`);
  };
  await until(look, LAUNCH_DEADLINE, stillPossible);
  if (!record) throw new Error(`${name} does not start`);
  return record;
}

/** Opens the log of a new run; the run before it stays readable beside it. */
function freshLog(lab: Lab, name: string): number {
  const path = logFile(lab, name);
  mkdirSync(dirname(path), { recursive: true });
  if (statSync(path, { throwIfNoEntry: false })) renameSync(path, `${path}.previous`);
  return openSync(path, "a", 0o640);
}

/** Only what the parts need: where programs are, and how this machine reaches the outside. */
function launchEnvironment(): NodeJS.ProcessEnv {
  const wanted = /^(HOME|SSL_CERT_FILE|SSL_CERT_DIR|https?_proxy|no_proxy)$/i;
  const kept = Object.entries(process.env).filter(([key]) => wanted.test(key));
  return {
    ...Object.fromEntries(kept),
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
}

/** Ends a part's process if it runs: asked first, killed at the deadline. */
export async function stopProcess(lab: Lab, name: string): Promise<void> {
  const record = runningProcess(lab, name);
  if (!record) return;
  const gone = async () => {
    if (isRunning(record)) throw new Error(`${name} (pid ${record.pid}) does not end`);
  };
  process.kill(record.pid, "SIGTERM");
  process.kill(record.pid, "SIGCONT"); // a stopped process hears SIGTERM only when it goes on
  try {
    await until(gone, STOP_DEADLINE);
  } catch {
    if (isRunning(record)) process.kill(record.pid, "SIGKILL");
    await until(gone, STOP_DEADLINE);
  }
}
