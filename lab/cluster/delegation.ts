import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  type CgroupLayout,
  cgroupLayout,
  createFolders,
  members,
  removeCgroups,
  trackingFolder,
  unitOf,
} from "./cgroups";
import { type Lab, LabError, RUN_ROOT } from "./identity";
import { isNamespace, prepareNamespaceFile, releaseNamespace } from "./namespace-files";
import { START_TIMEOUTS, waitFor } from "./wait";

/** The controllers that the kubelet and the container runtime use, except for hugetlb, which systemd does not delegate. */
const CONTROLLERS = ["cpu", "cpuset", "io", "memory", "pids"];
/** File with the controllers that labs have enabled at the root of a machine without systemd. */
const ENABLED = join(RUN_ROOT, "controllers");
/** The cgroup of the other processes of a container while a lab runs in it. */
const LEAF = "ml-lab-machine";
/**
 * Time in seconds that systemd gives a lab's processes when the machine shuts down. The first process of a container ignores
 * SIGTERM by default, and systemd would wait 90 seconds for it.
 */
const SHUTDOWN_GRACE = 15;
/** Rounds of moving processes, which may start others in the meantime. */
const MOVE_ROUNDS = 10;

/**
 * Keeps a lab's cgroup in existence. It starts in the lab's cgroup root, where its namespace is created, and then moves to a
 * leaf, since a cgroup that enables controllers for its children must have no processes.
 */
const HOLDER = `set -e
mkdir -p "$1/system"
echo $$ > "$1/system/cgroup.procs"
exec sleep infinity`;
const JOIN = `echo $$ > "$1/cgroup.procs"; shift; exec "$@"`;

/**
 * Creates the cgroups of a lab. With cgroup v2 they are a subtree that systemd delegates, or one below the root without
 * systemd, and a cgroup namespace in which the root of the subtree is the root: components can only change cgroups in it.
 */
export async function createCgroups(lab: Lab): Promise<void> {
  const layout = cgroupLayout();
  if (!layout.unified) {
    return createFolders(lab.scope, layout);
  }
  const folder = trackingFolder(lab.scope, layout);
  const { cgroupNamespace, mountNamespace } = lab.paths;
  if (existsSync(join(folder, "system")) && isNamespace(cgroupNamespace)) {
    return;
  }
  if (members(lab.scope, "all").length > 0) {
    throw new LabError(`The lab "${lab.name}" has no cgroup namespace any more. Run "down" first.`);
  }
  await removeCgroups(lab.scope);
  await releaseNamespace(mountNamespace); // it shows a cgroup that was removed
  await releaseNamespace(cgroupNamespace);
  await prepareNamespaceFile(cgroupNamespace);
  if (!layout.systemd) {
    createDelegated(lab.scope, layout);
  }
  await startHolder(lab, folder, layout.systemd);
}

/** The required controllers that a cgroup has, and that are not enabled for its children yet. */
export function controllersToEnable(available: string, enabled: string): string[] {
  const words = (text: string) => text.trim().split(/\s+/);
  return CONTROLLERS.filter((it) => words(available).includes(it) && !words(enabled).includes(it));
}

/** The kernel lists a process of another PID namespace as 0. */
const isPid = (text: string) => text !== "" && text !== "0";

/** Moves the processes of a cgroup to another one. One that exits in the meantime, or a kernel thread, is not an error. */
function moveProcesses(from: string, to: string): void {
  const list = () => readFileSync(join(from, "cgroup.procs"), "utf8").split("\n").filter(isPid);
  // Repeated, as a process may have started another one before it was moved.
  for (let round = 0; round < MOVE_ROUNDS && list().length > 0; round++) {
    for (const pid of list()) {
      try {
        writeFileSync(join(to, "cgroup.procs"), pid);
      } catch (error) {
        if (!["ESRCH", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) {
          throw error;
        }
      }
    }
  }
}

/**
 * Moves the processes of a container out of its root, which is a cgroup like any other: the kernel lets it enable
 * controllers for its children only while it has no processes ("No Internal Process Constraint" of cgroup-v2.rst).
 */
function leaveRoot(root: string): void {
  // Only the root of the kernel has no type.
  if (!existsSync(join(root, "cgroup.type"))) {
    return;
  }
  mkdirSync(join(root, LEAF), { recursive: true });
  moveProcesses(root, join(root, LEAF));
}

/** Reverts {@link leaveRoot}. */
function returnToRoot(root: string): void {
  const leaf = join(root, LEAF);
  if (!existsSync(leaf)) {
    return;
  }
  moveProcesses(leaf, root);
  rmdirSync(leaf);
}

/** Enables the controllers below the root, as systemd would. */
function createDelegated(scope: string, layout: CgroupLayout): void {
  const [root = ""] = layout.trees;
  const control = join(root, "cgroup.subtree_control");
  const available = readFileSync(join(root, "cgroup.controllers"), "utf8");
  const missing = controllersToEnable(available, readFileSync(control, "utf8"));
  // Written first, so that the changes of a killed start are reverted too.
  writeFileSync(ENABLED, missing.map((name) => `${name}\n`).join(""), { flag: "a" });
  try {
    if (missing.length > 0) {
      leaveRoot(root);
    }
    for (const name of missing) {
      writeFileSync(control, `+${name}`);
    }
  } catch (error) {
    throw new LabError(
      `${control} cannot be changed (${(error as Error).message}): the lab's pods need the controllers ${missing.join(", ")}.`,
    );
  }
  createFolders(scope, layout);
}

/** Disables the controllers that labs have enabled; to be called after the last lab was stopped. */
export function restoreControllers(layout = cgroupLayout()): void {
  if (!existsSync(ENABLED)) {
    return;
  }
  const [root = ""] = layout.trees;
  const control = join(root, "cgroup.subtree_control");
  for (const name of readFileSync(ENABLED, "utf8").split("\n").filter(Boolean)) {
    try {
      writeFileSync(control, `-${name}`);
    } catch (error) {
      // Another program uses it by now.
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") {
        throw error;
      }
    }
  }
  // A cgroup with enabled controllers cannot get its processes back.
  if (readFileSync(control, "utf8").trim() === "") {
    returnToRoot(root);
  }
  rmSync(ENABLED);
}

/** The command that runs another command in the lab's cgroup root. */
export function joinCommand(scope: string, folder: string, systemd: boolean): string[] {
  if (!systemd) {
    return ["sh", "-c", JOIN, "sh", folder];
  }
  // A delegated unit is not stopped if one of its processes is killed for memory (systemd.scope(5), OOMPolicy=).
  const settings = ["Delegate=yes", "TasksMax=infinity", `TimeoutStopSec=${SHUTDOWN_GRACE}`];
  const properties = settings.flatMap((it) => ["--property", it]);
  return [
    ...["systemd-run", "--scope", "--quiet", "--collect"],
    ...["--unit", unitOf(scope), "--slice", "system.slice"],
    ...["--description", `Local Kubernetes cluster (${scope})`, ...properties, "--"],
  ];
}

async function startHolder(lab: Lab, folder: string, systemd: boolean): Promise<void> {
  const { cgroupNamespace, run } = lab.paths;
  const unshare = ["unshare", `--cgroup=${cgroupNamespace}`, "sh", "-c", HOLDER, "sh", folder];
  const [command = "", ...args] = [...joinCommand(lab.scope, folder, systemd), ...unshare];
  const log = join(run, "cgroup.log");
  const output = openSync(log, "w", 0o600);
  const stdio = ["ignore" as const, output, output];
  const child = spawn(command, args, { detached: true, stdio, cwd: "/" });
  closeSync(output);
  child.unref();
  let fault = "";
  child.on("error", (error) => {
    fault = error.message;
  });
  const failure = () => {
    const reason = fault || readFileSync(log, "utf8").trim() || `${folder} was not created`;
    return new LabError(`The lab's cgroup cannot be created with ${command}: ${reason}`);
  };
  const isCreated = async () => {
    if (!existsSync(join(folder, "system")) || !isNamespace(cgroupNamespace)) {
      throw failure();
    }
  };
  const checkFailed = () => {
    if (fault || child.exitCode !== null || child.signalCode !== null) {
      throw failure();
    }
  };
  await waitFor(isCreated, { ...START_TIMEOUTS, checkFailed });
}
