import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
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
  type ProcessExit,
  type ProcessRecord,
  parseExits,
  parseRecord,
} from "./process-record";
import { START_TIMEOUTS, waitFor } from "./wait";

/** Time between SIGTERM and SIGKILL, in milliseconds. */
const STOP_TIMEOUT = 10_000;
/** Lines of a log in an error message. */
const LOG_TAIL = 12;

/** How to start one long-running process. */
export interface Launch {
  readonly name: string;
  readonly command: readonly string[];
  /** Whether it runs in the lab's network and mount namespaces, or on the host. */
  readonly inside: boolean;
  readonly fingerprint: string;
}

/**
 * Folders with the records of supervisors and processes, and with the exits of processes. Two have the names of earlier
 * versions, so that labs that these have started can be stopped.
 */
const FOLDERS = { supervisors: "parts", processes: "processes", exits: "ends" } as const;

type RecordKind = keyof typeof FOLDERS;

function recordFile(lab: Lab, kind: RecordKind, name: string): string {
  return join(lab.paths.run, FOLDERS[kind], name);
}

/** Names of the components that have been started. */
export function supervisedComponents(lab: Lab): string[] {
  const folder = join(lab.paths.run, FOLDERS.supervisors);
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Path of a component's log. */
export function logFile(lab: Lab, name: string): string {
  return join(lab.paths.logs, `${name}.log`);
}

/** The path and the last lines of a component's log, for an error message. */
export function endOfLog(lab: Lab, name: string): string {
  const path = logFile(lab, name);
  const lines = textOf(path).trimEnd().split("\n").slice(-LOG_TAIL);
  return `The last lines of ${path}:\n${lines.join("\n")}`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function runningRecord(lab: Lab, kind: "supervisors" | "processes", name: string) {
  const record = parseRecord(textOf(recordFile(lab, kind, name)));
  return record && isRunning(record) ? record : undefined;
}

/** The record of a component's process, if it runs. */
export function runningProcess(lab: Lab, name: string): ProcessRecord | undefined {
  return runningRecord(lab, "processes", name);
}

/** The record of a component's supervisor, if it runs: it exits when it does not restart the component again. */
export function runningSupervisor(lab: Lab, name: string): ProcessRecord | undefined {
  return runningRecord(lab, "supervisors", name);
}

/** The exits of a component since `up` started it. */
export function exitsOf(lab: Lab, name: string): ProcessExit[] {
  return parseExits(textOf(recordFile(lab, "exits", name)));
}

/** Whether a process runs in the current namespaces of the lab; it may remain from earlier ones. */
export function isInNamespaces(lab: Lab, pid: number): boolean {
  try {
    return (["net", "mnt"] as const).every((kind) => {
      const file = kind === "net" ? lab.paths.netns : lab.paths.mountNamespace;
      return readlinkSync(`/proc/${pid}/ns/${kind}`) === `${kind}:[${statSync(file).ino}]`;
    });
  } catch {
    return false;
  }
}

/** Starts a component's supervisor in a session of its own, and returns when the component's record is written. */
export async function launch(lab: Lab, component: Launch): Promise<void> {
  const file = (kind: RecordKind) => {
    const path = recordFile(lab, kind, component.name);
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    return path;
  };
  const command = component.inside
    ? [...enterCommand(lab), ...component.command]
    : component.command;
  const files = [systemCgroup(lab.scope), file("supervisors"), file("processes"), file("exits")];
  const script = ["-c", SUPERVISOR, "sh", ...files, PAUSES.join(" "), component.fingerprint, RUN];
  const log = rotateLog(lab, component.name);
  const child = spawn("/bin/sh", [...script, ...command], {
    detached: true,
    stdio: ["ignore", log, log],
    env: launchEnvironment(),
    cwd: "/",
  });
  closeSync(log);
  child.unref();
  const launched = async () => {
    if (!parseRecord(textOf(recordFile(lab, "processes", component.name)))) {
      throw new Error("no pid yet");
    }
  };
  const checkFailed = () => {
    if (child.exitCode === null && child.signalCode === null) {
      return;
    }
    throw new LabError(`${component.name} cannot be started. ${endOfLog(lab, component.name)}`);
  };
  await waitFor(launched, { ...START_TIMEOUTS, checkFailed });
}

/** Opens the log of a new run, and keeps the log of the previous one. */
function rotateLog(lab: Lab, name: string): number {
  const path = logFile(lab, name);
  mkdirSync(dirname(path), { recursive: true });
  if (statSync(path, { throwIfNoEntry: false })) {
    renameSync(path, `${path}.previous`);
  }
  return openSync(path, "a", 0o640);
}

/** The environment of components: PATH, and the proxy and certificates of this machine. */
function launchEnvironment(): NodeJS.ProcessEnv {
  const wanted = /^(HOME|SSL_CERT_FILE|SSL_CERT_DIR|https?_proxy|no_proxy)$/i;
  const kept = Object.entries(process.env).filter(([key]) => wanted.test(key));
  return {
    ...Object.fromEntries(kept),
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
}

/** Stops a component and its supervisor if they run: with SIGTERM, and after the timeout with SIGKILL. */
export async function stopProcess(lab: Lab, name: string): Promise<void> {
  // Read before the first signal: without the supervisor its process group is not known.
  const group = runningSupervisor(lab, name)?.pid;
  const running = () => [runningSupervisor(lab, name), runningProcess(lab, name)].find(Boolean);
  const signal = (which: NodeJS.Signals) => {
    const alone = runningProcess(lab, name)?.pid;
    // One signal each: at a second SIGTERM the API server exits at once.
    if (group) {
      send(-group, which);
    } else if (alone) {
      send(alone, which);
    }
  };
  const gone = async () => {
    const left = running();
    if (left) {
      throw new Error(`${name} (pid ${left.pid}) does not exit`);
    }
  };
  if (!running()) {
    return;
  }
  signal("SIGTERM");
  signal("SIGCONT"); // a stopped process handles SIGTERM only after SIGCONT
  try {
    await waitFor(gone, { stall: STOP_TIMEOUT, total: STOP_TIMEOUT });
  } catch {
    signal("SIGKILL");
    await waitFor(gone, START_TIMEOUTS);
  }
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}
