import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { until } from "./probe";

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

function hierarchies(): string[] {
  return parseHierarchies(readFileSync("/proc/self/mounts", "utf8"));
}

/** The tree that tells which processes are a lab's: v2's only one, or v1's pids, which limits nothing by itself. */
function trackingRoot(scope: string): string {
  const trees = hierarchies();
  return join(trees.find((path) => path === join(ROOT, "pids")) ?? ROOT, scope);
}

/** File to write a pid into, so that the process and all its children count as the lab's. */
export function systemCgroup(scope: string): string {
  return join(trackingRoot(scope), "system", "cgroup.procs");
}

/** Makes the lab's cgroup root in every tree: the kubelet wants to find its `cgroupRoot` in all of them. */
export function createCgroups(scope: string): void {
  for (const tree of hierarchies()) mkdirSync(join(tree, scope), { recursive: true });
  mkdirSync(join(trackingRoot(scope), "system"), { recursive: true });
}

/** All processes of the lab, or those of its pods alone. */
function members(scope: string, part: "all" | "pods"): number[] {
  const root = trackingRoot(scope);
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
  const roots = hierarchies().map((tree) => join(tree, scope));
  await until(async () => roots.forEach(removeTree), LEAVE_DEADLINE);
}

function removeTree(folder: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })) return;
  for (const child of foldersIn(folder)) removeTree(child);
  rmdirSync(folder);
}
