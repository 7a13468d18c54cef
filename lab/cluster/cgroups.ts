import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { until } from "./probe";
import { attempt } from "./shell";

const ROOT = "/sys/fs/cgroup";
/** Time that killed processes get to leave their cgroups, in milliseconds. */
const LEAVE_DEADLINE = 10_000;

/** Mount points of the machine's cgroup trees, from the text of /proc/self/mounts: one for v2, a dozen for v1. */
export function parseHierarchies(mounts: string): string[] {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, mountPoint]) => mountPoint ?? "")
    .filter((path) => path === ROOT || path.startsWith(`${ROOT}/`));
}

/** How the machine's cgroups are laid out, and who manages them. */
export interface CgroupLayout {
  trees: readonly string[];
  /** Whether there is v2's one tree; not so with v1, nor with v1 and an empty v2 tree beside it (hybrid). */
  unified: boolean;
  /** Whether systemd is the machine's init system. */
  systemd: boolean;
}

/** The layout of this machine. */
export function cgroupLayout(): CgroupLayout {
  const trees = parseHierarchies(readFileSync("/proc/self/mounts", "utf8"));
  // As sd_booted(3) tells.
  return { trees, unified: trees.includes(ROOT), systemd: existsSync("/run/systemd/system") };
}

/** Name of the systemd unit that holds a lab's processes, on cgroup v2. */
export const unitOf = (scope: string) => `${scope}.scope`;

/**
 * A lab's folder in each tree. On cgroup v2, systemd is the only one that may make cgroups in its tree, and hands a
 * subtree to others with a unit that has `Delegate=yes` (https://systemd.io/CGROUP_DELEGATION).
 */
export function labFolders(scope: string, { trees, unified, systemd }: CgroupLayout): string[] {
  if (unified && systemd) return [join(ROOT, "system.slice", unitOf(scope))];
  return trees.map((tree) => join(tree, scope));
}

/** The folder that tells which processes are a lab's: v2's only one, or that of v1's pids, which limits nothing by itself. */
export function trackingFolder(scope: string, layout = cgroupLayout()): string {
  const folders = labFolders(scope, layout);
  return folders.find((it) => it === join(ROOT, "pids", scope)) ?? folders[0] ?? join(ROOT, scope);
}

/** The lab's cgroup root as its own processes see it: on cgroup v2 they have a cgroup namespace. */
export function cgroupRoot(scope: string, { unified } = cgroupLayout()): string {
  return unified ? "/" : `/${scope}`;
}

/** File to write a pid into, so that the process and all its children count as the lab's. */
export function systemCgroup(scope: string): string {
  return join(trackingFolder(scope), "system", "cgroup.procs");
}

/** Makes the lab's cgroup root in every v1 tree: the kubelet wants to find its `cgroupRoot` in all of them. */
export function createFolders(scope: string, layout: CgroupLayout): void {
  for (const folder of labFolders(scope, layout)) mkdirSync(folder, { recursive: true });
  mkdirSync(join(trackingFolder(scope, layout), "system"), { recursive: true });
}

/** All processes of the lab, or those of its pods alone. */
export function members(scope: string, part: "all" | "pods"): number[] {
  const root = trackingFolder(scope);
  return processesBelow(part === "pods" ? join(root, "kubepods") : root);
}

function processesBelow(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
    return [...own.map(Number), ...foldersIn(folder).flatMap(processesBelow)];
  } catch {
    return []; // the cgroup went away while it was read, or has never been made
  }
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

/** Sends a signal to every member; those that have just gone are no error. */
export function signalMembers(scope: string, part: "all" | "pods", signal: NodeJS.Signals): void {
  for (const pid of members(scope, part)) {
    try {
      process.kill(pid, signal);
    } catch {
      // already gone
    }
  }
}

/** Waits until no member is left. Throws with the pids that stay. */
export function membersGone(scope: string, part: "all" | "pods", deadline = LEAVE_DEADLINE) {
  return until(async () => {
    const left = members(scope, part);
    if (left.length > 0) throw new Error(`processes ${left.join(", ")} do not end`);
  }, deadline);
}

/** Takes the lab's empty cgroups away, from the leaves to the root. */
export async function removeCgroups(scope: string): Promise<void> {
  const layout = cgroupLayout();
  if (layout.unified && layout.systemd) await attempt("systemctl", ["stop", unitOf(scope)]);
  await until(async () => labFolders(scope, layout).forEach(removeTree), LEAVE_DEADLINE);
}

function removeTree(folder: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })) return;
  for (const child of foldersIn(folder)) removeTree(child);
  rmdirSync(folder);
}
