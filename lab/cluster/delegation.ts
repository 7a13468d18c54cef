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
import { START_PATIENCE, waitFor } from "./wait";

/** The controllers that the kubelet and the container runtime use (hugetlb is left out: systemd hands it to nobody). */
const CONTROLLERS = ["cpu", "cpuset", "io", "memory", "pids"];
/** Controllers that labs have switched on at the root of a machine without systemd. */
const SWITCHED = join(RUN_ROOT, "controllers");
/** Where the processes of a container are while a lab runs in it. */
const LEAF = "ml-lab-machine";
/** How often processes are moved that start others meanwhile. */
const MOVE_ROUNDS = 10;

/**
 * Keeps a lab's cgroup alive: it begins at the lab's cgroup root, where its namespace is made, and then leaves for a
 * leaf, since a cgroup that hands controllers down has no processes of its own.
 */
const HOLDER = `set -e
mkdir -p "$1/system"
echo $$ > "$1/system/cgroup.procs"
exec sleep infinity`;
const JOIN = `echo $$ > "$1/cgroup.procs"; shift; exec "$@"`;

/**
 * Makes the cgroups of a lab. With cgroup v2 they are a subtree that systemd has delegated to it, or one below the root
 * where there is no systemd, and a cgroup namespace in which the subtree's root is the root of all: whatever a
 * part does with cgroups stays in it.
 */
export async function createCgroups(lab: Lab): Promise<void> {
  const layout = cgroupLayout();
  if (!layout.unified) return createFolders(lab.scope, layout);
  const folder = trackingFolder(lab.scope, layout);
  const { cgroupNamespace, mountNamespace } = lab.paths;
  if (existsSync(join(folder, "system")) && isNamespace(cgroupNamespace)) return;
  if (members(lab.scope, "all").length > 0) {
    throw new LabError(`The lab "${lab.name}" has lost its cgroup namespace. Run "down" first.`);
  }
  await removeCgroups(lab.scope);
  await releaseNamespace(mountNamespace); // it shows a cgroup that is gone
  await releaseNamespace(cgroupNamespace);
  await prepareNamespaceFile(cgroupNamespace);
  if (!layout.systemd) createDelegated(lab.scope, layout);
  await startHolder(lab, folder, layout.systemd);
}

/** Those of the wanted controllers that a cgroup has, and does not hand down yet. */
export function controllersToEnable(available: string, enabled: string): string[] {
  const words = (text: string) => text.trim().split(/\s+/);
  return CONTROLLERS.filter((it) => words(available).includes(it) && !words(enabled).includes(it));
}

/** Moves the processes of a cgroup to another one. One that ends meanwhile, or is the kernel's own, is no error. */
export function moveProcesses(from: string, to: string): void {
  const list = () => readFileSync(join(from, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
  // Again, as a process may have started another one before it was moved itself.
  for (let round = 0; round < MOVE_ROUNDS && list().length > 0; round++) {
    for (const pid of list()) {
      try {
        writeFileSync(join(to, "cgroup.procs"), pid);
      } catch (error) {
        if (!["ESRCH", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
    }
  }
}

/**
 * Makes room for controllers in a container, whose root is a cgroup like any other: the kernel lets such a one hand
 * controllers down only while it has no processes itself ("No Internal Process Constraint" of cgroup-v2.rst).
 */
function leaveRoot(root: string): void {
  // Only the kernel's own root has no type.
  if (!existsSync(join(root, "cgroup.type"))) return;
  mkdirSync(join(root, LEAF), { recursive: true });
  moveProcesses(root, join(root, LEAF));
}

/** Takes {@link leaveRoot} back. */
function returnToRoot(root: string): void {
  const leaf = join(root, LEAF);
  if (!existsSync(leaf)) return;
  moveProcesses(leaf, root);
  rmdirSync(leaf);
}

/** Does what systemd would do: hands the controllers down from the root. */
function createDelegated(scope: string, layout: CgroupLayout): void {
  const [root = ""] = layout.trees;
  const control = join(root, "cgroup.subtree_control");
  const available = readFileSync(join(root, "cgroup.controllers"), "utf8");
  const missing = controllersToEnable(available, readFileSync(control, "utf8"));
  // Noted first: what a killed start had done by then is taken back too.
  writeFileSync(SWITCHED, missing.map((name) => `${name}\n`).join(""), { flag: "a" });
  try {
    if (missing.length > 0) leaveRoot(root);
    for (const name of missing) writeFileSync(control, `+${name}`);
  } catch (error) {
    throw new LabError(
      `${control} cannot be changed (${(error as Error).message}): the lab's pods need the controllers ${missing.join(", ")}.`,
    );
  }
  createFolders(scope, layout);
}

/** Takes the controllers back that labs have switched on; to be called when the last lab has gone. */
export function restoreControllers(layout = cgroupLayout()): void {
  if (!existsSync(SWITCHED)) return;
  const [root = ""] = layout.trees;
  const control = join(root, "cgroup.subtree_control");
  for (const name of readFileSync(SWITCHED, "utf8").split("\n").filter(Boolean)) {
    try {
      writeFileSync(control, `-${name}`);
    } catch (error) {
      // Somebody else has come to use it.
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    }
  }
  // A cgroup that still hands controllers down would not take its processes back.
  if (readFileSync(control, "utf8").trim() === "") returnToRoot(root);
  rmSync(SWITCHED);
}

/** The command that runs another one in the lab's cgroup root. */
export function joinCommand(scope: string, folder: string, systemd: boolean): string[] {
  if (!systemd) return ["sh", "-c", JOIN, "sh", folder];
  // A delegated unit goes on when one of its processes is out of memory (systemd.scope(5), OOMPolicy=).
  const properties = ["Delegate=yes", "TasksMax=infinity"].flatMap((it) => ["--property", it]);
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
    const words = fault || readFileSync(log, "utf8").trim() || `${folder} does not appear`;
    return new LabError(`The lab's cgroup cannot be made with ${command}: ${words}`);
  };
  const stands = async () => {
    if (!existsSync(join(folder, "system")) || !isNamespace(cgroupNamespace)) throw failure();
  };
  const hopeless = () => {
    if (fault || child.exitCode !== null || child.signalCode !== null) throw failure();
  };
  await waitFor(stands, { ...START_PATIENCE, hopeless });
}
