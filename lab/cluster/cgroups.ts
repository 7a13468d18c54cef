import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { until } from "./probe";
import { attempt } from "./shell";

const ROOT = "/sys/fs/cgroup";
/** Time in milliseconds until killed processes must have left their cgroups. */
const EXIT_TIMEOUT = 10_000;

/** Mount points of the machine's cgroup hierarchies, from the text of /proc/self/mounts: one for v2, a dozen for v1. */
export function parseHierarchies(mounts: string): string[] {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, mountPoint]) => mountPoint ?? "")
    .filter((path) => path === ROOT || path.startsWith(`${ROOT}/`));
}

/** The cgroup hierarchies of the machine, and whether systemd manages them. */
export interface CgroupLayout {
  readonly trees: readonly string[];
  /** Whether there is only the v2 hierarchy: false for v1, and for v1 with an empty v2 hierarchy (hybrid). */
  readonly unified: boolean;
  /** Whether systemd is the machine's init system. */
  readonly systemd: boolean;
}

/** The layout of this machine. */
export function cgroupLayout(): CgroupLayout {
  const trees = parseHierarchies(readFileSync("/proc/self/mounts", "utf8"));
  // As sd_booted(3) checks.
  return { trees, unified: trees.includes(ROOT), systemd: existsSync("/run/systemd/system") };
}

/** Name of the systemd unit of a lab's processes, on cgroup v2. */
export const unitOf = (scope: string) => `${scope}.scope`;

/**
 * A lab's folder in each hierarchy. On cgroup v2 only systemd may create cgroups in its hierarchy. It delegates a subtree
 * with a unit that has `Delegate=yes` (https://systemd.io/CGROUP_DELEGATION).
 */
export function labFolders(scope: string, { trees, unified, systemd }: CgroupLayout): string[] {
  if (unified && systemd) {
    return [join(ROOT, "system.slice", unitOf(scope))];
  }
  return trees.map((tree) => join(tree, scope));
}

/** The folder that lists the processes of a lab: the only one with v2, or that of the pids controller with v1, which sets no limits. */
export function trackingFolder(scope: string, layout = cgroupLayout()): string {
  const folders = labFolders(scope, layout);
  return folders.find((it) => it === join(ROOT, "pids", scope)) ?? folders[0] ?? join(ROOT, scope);
}

/** The lab's cgroup root as its processes see it: on cgroup v2 they have a cgroup namespace. */
export function cgroupRoot(scope: string, { unified } = cgroupLayout()): string {
  return unified ? "/" : `/${scope}`;
}

/** The cgroup.procs file that adds a process and all its children to the lab. */
export function systemCgroup(scope: string): string {
  return join(trackingFolder(scope), "system", "cgroup.procs");
}

/** Creates the lab's cgroup root in every v1 hierarchy: the kubelet needs its `cgroupRoot` in all of them. */
export function createFolders(scope: string, layout: CgroupLayout): void {
  for (const folder of labFolders(scope, layout)) {
    mkdirSync(folder, { recursive: true });
  }
  mkdirSync(join(trackingFolder(scope, layout), "system"), { recursive: true });
}

/** All processes of the lab, or only those of its pods. */
export function members(scope: string, which: "all" | "pods"): number[] {
  const root = trackingFolder(scope);
  return processesBelow(which === "pods" ? join(root, "kubepods") : root);
}

function processesBelow(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
    return [...own.map(Number), ...foldersIn(folder).flatMap(processesBelow)];
  } catch {
    return []; // the cgroup was removed while it was read, or does not exist
  }
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

/** Sends a signal to every member. A process that has exited is not an error. */
export function signalMembers(scope: string, which: "all" | "pods", signal: NodeJS.Signals): void {
  for (const pid of members(scope, which)) {
    try {
      process.kill(pid, signal);
    } catch {
      // already exited
    }
  }
}

/** Waits until no member is left. Throws with the remaining pids. */
export function waitForExit(scope: string, which: "all" | "pods", deadline = EXIT_TIMEOUT) {
  return until(async () => {
    const left = members(scope, which);
    if (left.length > 0) {
      throw new Error(`processes ${left.join(", ")} do not exit`);
    }
  }, deadline);
}

/** Removes the lab's empty cgroups, from the leaves to the root. */
export async function removeCgroups(scope: string): Promise<void> {
  const layout = cgroupLayout();
  if (layout.unified && layout.systemd) {
    await attempt("systemctl", ["stop", unitOf(scope)]);
  }
  await until(async () => labFolders(scope, layout).forEach(removeTree), EXIT_TIMEOUT);
}

function removeTree(folder: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })) {
    return;
  }
  for (const child of foldersIn(folder)) {
    removeTree(child);
  }
  rmdirSync(folder);
}
