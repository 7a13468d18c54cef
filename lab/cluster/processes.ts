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
import { type Lab, LabError } from "./identity";
import { PAUSES, RUN, SUPERVISOR } from "./launcher";
import { enterCommand } from "./namespaces";
import {
  isRunning,
  type PartEnd,
  type ProcessRecord,
  parseEnds,
  parseRecord,
} from "./process-record";
import { START_PATIENCE, waitFor } from "./wait";

/** Time that a process gets to end by itself before it is killed, in milliseconds. */
const STOP_DEADLINE = 10_000;
/** Lines of a log that an error shows. */
const LOG_TAIL = 12;

/** What it takes to launch one long-running process. */
export interface Launch {
  name: string;
  command: readonly string[];
  /** Whether it lives in the lab's network and mount namespaces, or on the host. */
  inside: boolean;
  fingerprint: string;
}

/** Where a part's supervisor (`parts`), the part itself (`processes`) and the times at which it ended are noted. */
function recordFile(lab: Lab, kind: "parts" | "processes" | "ends", name: string): string {
  return join(lab.paths.run, kind, name);
}

/** Path of a part's log. */
export function logFile(lab: Lab, name: string): string {
  return join(lab.paths.logs, `${name}.log`);
}

/** Where a part's log is, and its last lines, for an error message. */
export function endOfLog(lab: Lab, name: string): string {
  const path = logFile(lab, name);
  const lines = textOf(path).trimEnd().split("\n").slice(-LOG_TAIL);
  return `The end of ${path}:\n${lines.join("\n")}`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function runningRecord(lab: Lab, kind: "parts" | "processes", name: string) {
  const record = parseRecord(textOf(recordFile(lab, kind, name)));
  return record && isRunning(record) ? record : undefined;
}

/** The record of a part's process, if that process still runs. */
export function runningProcess(lab: Lab, name: string): ProcessRecord | undefined {
  return runningRecord(lab, "processes", name);
}

/** The record of a part's supervisor, if it still runs: it has ended where the part was given up. */
export function runningSupervisor(lab: Lab, name: string): ProcessRecord | undefined {
  return runningRecord(lab, "parts", name);
}

/** When a part has ended, and how, since `up` started it last. */
export function endsOf(lab: Lab, name: string): PartEnd[] {
  return parseEnds(textOf(recordFile(lab, "ends", name)));
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

/** Starts a part's supervisor in a session of its own and returns when the part's record stands. */
export async function launch(lab: Lab, part: Launch): Promise<void> {
  const file = (kind: "parts" | "processes" | "ends") => {
    const path = recordFile(lab, kind, part.name);
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    return path;
  };
  const command = part.inside ? [...enterCommand(lab), ...part.command] : part.command;
  const files = [systemCgroup(lab.scope), file("parts"), file("processes"), file("ends")];
  const script = ["-c", SUPERVISOR, "sh", ...files, PAUSES.join(" "), part.fingerprint, RUN];
  const log = freshLog(lab, part.name);
  const child = spawn("/bin/sh", [...script, ...command], {
    detached: true,
    stdio: ["ignore", log, log],
    env: launchEnvironment(),
    cwd: "/",
  });
  closeSync(log);
  child.unref();
  const launched = async () => {
    if (!parseRecord(textOf(recordFile(lab, "processes", part.name))))
      throw new Error("no pid yet");
  };
  const hopeless = () => {
    if (child.exitCode === null && child.signalCode === null) return;
    throw new LabError(`${part.name} cannot be launched. ${endOfLog(lab, part.name)}`);
  };
  await waitFor(launched, { ...START_PATIENCE, hopeless });
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

/** Ends a part and its supervisor if they run: asked first, killed at the deadline. */
export async function stopProcess(lab: Lab, name: string): Promise<void> {
  // Noted before the first signal: once the supervisor is gone its group is known by the part alone.
  const group = runningSupervisor(lab, name)?.pid;
  const running = () => [runningSupervisor(lab, name), runningProcess(lab, name)].find(Boolean);
  const signal = (which: NodeJS.Signals) => {
    const alone = runningProcess(lab, name)?.pid;
    // Each once: at a second request to end, the API server ends at once.
    if (group) send(-group, which);
    else if (alone) send(alone, which);
  };
  const gone = async () => {
    const left = running();
    if (left) throw new Error(`${name} (pid ${left.pid}) does not end`);
  };
  if (!running()) return;
  signal("SIGTERM");
  signal("SIGCONT"); // a stopped process hears SIGTERM only when it goes on
  try {
    await waitFor(gone, { quiet: STOP_DEADLINE, bound: STOP_DEADLINE });
  } catch {
    signal("SIGKILL");
    await waitFor(gone, START_PATIENCE);
  }
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
