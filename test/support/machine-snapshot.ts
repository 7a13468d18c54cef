import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Everything that a lab could leave on a machine, as sorted lines by kind. */
export type Snapshot = Record<string, string[]>;

/** Output of a command; empty if it is not installed. */
function output(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

const lines = (text: string) => text.split("\n").filter(Boolean);

/** All subfolders of a folder down to a depth. */
function folders(root: string, depth: number): string[] {
  let entries: import("node:fs").Dirent[];
  try {
    entries = readdirSync(root, { withFileTypes: true });
  } catch {
    return []; // it does not exist, or was just removed
  }
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name));
  return depth === 1 ? below : [...below, ...below.flatMap((it) => folders(it, depth - 1))];
}

/** Entries of folders, without those that change by themselves. */
function entries(roots: readonly string[]): string[] {
  return roots.flatMap((root) => {
    try {
      return readdirSync(root).map((name) => join(root, name));
    } catch {
      return [];
    }
  });
}

/** Rules and chains without their counters and comments, from `iptables-save`. */
export function rulesWithoutCounters(text: string): string[] {
  return lines(text)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.replace(/ \[\d+:\d+\]/, ""));
}

/** Rules without tables that accept everything, which are equivalent to no table. */
export function withoutEmptyTables(rules: readonly string[]): string[] {
  const tables = rules.join("\n").split("COMMIT");
  const effective = tables.filter((table) => /^-A |^:\S+ (?!ACCEPT)/m.test(table));
  return effective.flatMap((table) => [...lines(table)]);
}

/** Kernel settings that a lab or its processes could change; others (entropy, inodes) change by themselves. */
const SYSCTLS = /^(net\.(ipv4|bridge|netfilter)\.|vm\.|kernel\.(panic|keys|pid_max)|fs\.inotify)/;
const UNSTABLE = /(_count|_events|stat|random|nr_|\.route\.|flush|dirty|drop_caches)/;

/** Caches of npm, Go, kubectl and Pulumi, which stay; and the lock file of iptables, which other programs share. */
const OWN_FILES = [
  ...[".cache", ".config", ".npm", "go", ".kube", ".pulumi"].map((name) => join(homedir(), name)),
  "/run/xtables.lock",
];

/** Cgroups of sessions, which the test opens and closes. */
const SESSIONS = /user\.slice|session|\/user-|systemd-(hostnamed|timedated|localed|tmpfiles)/;

/** The current snapshot of the machine. */
export function takeSnapshot(): Snapshot {
  const addresses = output("ip", "-o", "address").replaceAll(/\s+valid_lft.*/g, "");
  const units = output("systemctl", "list-units", "--all", "--plain", "--no-legend");
  const snapshot: Snapshot = {
    addresses: lines(addresses).map((line) => line.replace(/^\d+: /, "")),
    routes: lines(output("ip", "route", "show", "table", "all")),
    policies: lines(output("ip", "rule")),
    rules: withoutEmptyTables(
      rulesWithoutCounters(output("iptables-save") + output("ip6tables-save")),
    ),
    nftables: lines(output("nft", "list", "ruleset")).map((line) =>
      line.replace(/counter packets \d+ bytes \d+/, "counter"),
    ),
    mounts: lines(readFileSync("/proc/self/mounts", "utf8")),
    cgroups: folders("/sys/fs/cgroup", 3).filter((it) => !SESSIONS.test(it)),
    controllers: lines(readController("cgroup.subtree_control")),
    units: lines(units)
      .filter((line) => !SESSIONS.test(line))
      .map((line) => line.trim().split(/\s+/).slice(0, 4).join(" "))
      .filter((line) => /\.(service|scope|slice|socket|mount) /.test(line)),
    unitFiles: lines(output("systemctl", "list-unit-files", "--no-legend")).filter(
      (line) => !SESSIONS.test(line),
    ),
    settings: lines(output("sysctl", "--all", "--ignore")).filter(
      (line) => SYSCTLS.test(line) && !UNSTABLE.test(line),
    ),
    files: entries([
      "/etc",
      "/opt",
      "/run",
      "/run/netns",
      "/var/lib",
      "/var/log",
      "/srv",
      homedir(),
    ]).filter((path) => !OWN_FILES.includes(path)),
    builders: entries(
      ["instances", "activity"].map((name) => join(homedir(), ".docker/buildx", name)),
    ),
    listeners: lines(output("ss", "-Hltn")).map((line) => line.split(/\s+/)[3] ?? ""),
  };
  for (const kind of Object.keys(snapshot)) {
    snapshot[kind]?.sort();
  }
  return snapshot;
}

function readController(file: string): string {
  try {
    return readFileSync(join("/sys/fs/cgroup", file), "utf8").trim().split(" ").join("\n");
  } catch {
    return ""; // cgroup v1
  }
}

/**
 * The state before a lab that has run before and after a reboot: a disk is kept over a reboot, and everything else, such as
 * /run, is new with it.
 */
export function acrossReboot(before: Snapshot, booted: Snapshot): Snapshot {
  const isKept = (path: string) => !path.startsWith("/run/");
  const onDisk = (before.files ?? []).filter(isKept);
  const inMemory = (booted.files ?? []).filter((path) => !isKept(path));
  return { ...booted, files: [...onDisk, ...inMemory], builders: before.builders ?? [] };
}

/** Added (`+`) and removed (`-`) lines between two snapshots, each as `kind: + line`. */
export function differences(before: Snapshot, after: Snapshot): string[] {
  return Object.keys(before).flatMap((kind) => {
    const [old, now] = [before[kind] ?? [], after[kind] ?? []];
    const removed = old.filter((line) => !now.includes(line)).map((line) => `${kind}: - ${line}`);
    // A loaded kernel module adds settings.
    const known = (line: string) =>
      kind !== "settings" || old.some((it) => it.startsWith(`${line.split(" ")[0]} `));
    const added = now
      .filter((line) => !old.includes(line) && known(line))
      .map((line) => `${kind}: + ${line}`);
    return [...removed, ...added];
  });
}

/** Whether a change is a cgroup that other programs have removed or use: a lab would leave empty ones. */
function isForeignCgroup(line: string, members: (cgroup: string) => string): boolean {
  const [, sign, path = ""] = /^cgroups: ([-+]) (.+)$/.exec(line) ?? [];
  return sign === "-" || (sign === "+" && members(path) !== "");
}

function membersOf(cgroup: string): string {
  try {
    return readFileSync(join(cgroup, "cgroup.procs"), "utf8");
  } catch {
    return "";
  }
}

/**
 * Changes without those of other programs on the same machine: labs with other names, which other runs may start and stop in
 * the meantime, and cgroups in use.
 */
export function changesOf(
  labs: readonly string[],
  before: Snapshot,
  after: Snapshot,
  members = membersOf,
): string[] {
  const { listeners: _before, ...old } = before;
  const { listeners: _after, ...now } = after;
  return differences(old, now).filter((line) => {
    const [, name] = /\bml-(?:lab-|lab\/)?([a-z0-9-]+)/.exec(line) ?? [];
    if (name !== undefined) {
      return labs.some((lab) => name.startsWith(lab));
    }
    return !isForeignCgroup(line, members);
  });
}
