import { mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseSubnet, type LinkAddresses, overlaps } from "./addresses";
import type { Lab } from "./identity";
import {
  isNamespace,
  prepareNamespaceFile,
  releaseFolder,
  releaseNamespace,
} from "./namespace-files";
import { attempt, run } from "./shell";

/** Node end of the veth pair: a common name, as it is the only link in its namespace. */
const NODE_LINK = "eth0";

/**
 * The lab's folders that are mounted on standard paths, only for the lab's processes. The components can use their default
 * paths, labs do not conflict with each other or with Docker, and every mount ends with the namespace.
 */
function bindings({ paths }: Lab): readonly (readonly [string, string])[] {
  return [
    [join(paths.data, "containerd"), "/var/lib/containerd"],
    [join(paths.run, "containerd"), "/run/containerd"],
    [join(paths.data, "kubelet"), "/var/lib/kubelet"],
    [join(paths.data, "pod-logs"), "/var/log/pods"],
    [join(paths.data, "container-logs"), "/var/log/containers"],
    [join(paths.run, "cni"), "/var/lib/cni"],
    [join(paths.data, "volumes"), paths.volumes],
  ];
}

/** Paths that exist on the host only as mount points. */
export const MOUNT_POINTS = [
  "/var/lib/containerd",
  "/run/containerd",
  "/var/lib/kubelet",
  "/var/log/pods",
  "/var/log/containers",
  "/var/lib/cni",
] as const;

/** Whether both namespaces of the lab exist. */
export function namespacesExist(lab: Lab): boolean {
  return isNamespace(lab.paths.netns) && isNamespace(lab.paths.mountNamespace);
}

/** The command that runs another command in the lab's namespaces. */
export function enterCommand({ paths }: Lab): string[] {
  // It exists only on cgroup v2.
  const cgroup = isNamespace(paths.cgroupNamespace) ? [`--cgroup=${paths.cgroupNamespace}`] : [];
  return ["nsenter", `--net=${paths.netns}`, `--mount=${paths.mountNamespace}`, ...cgroup, "--"];
}

/** Runs a command in the lab's network namespace. */
function runInNetwork({ paths }: Lab, ...command: string[]) {
  return run("nsenter", [`--net=${paths.netns}`, "--", ...command]);
}

interface RouteEntry {
  readonly dst: string;
  readonly dev?: string;
}
interface AddressEntry {
  readonly ifname: string;
  readonly mtu: number;
  readonly addr_info: { local: string; prefixlen: number }[];
}

/** Networks of the host other than the lab's link. */
async function usedNetworks(lab: Lab): Promise<string[]> {
  const routes = JSON.parse(await run("ip", ["-4", "-j", "route"])) as RouteEntry[];
  const links = JSON.parse(await run("ip", ["-4", "-j", "addr"])) as AddressEntry[];
  const fromRoutes = routes.filter(({ dev, dst }) => dev !== lab.link && !isDefaultRoute(dst));
  const fromLinks = links.filter(({ ifname }) => ifname !== lab.link);
  return [
    ...fromRoutes.map(({ dst }) => dst),
    ...fromLinks.flatMap(({ addr_info }) =>
      addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    ),
  ];
}

/** Whether a route is the default route, or one of the two halves with which a VPN replaces it. */
export function isDefaultRoute(destination: string): boolean {
  return destination === "default" || /\/[01]$/.test(destination);
}

/** The /30 of the last start if nothing else on the machine uses it, or a free one. */
export async function freeSubnet(lab: Lab, remembered: string | undefined): Promise<string> {
  const used = await usedNetworks(lab);
  const stillFree = remembered && !used.some((cidr) => overlaps(cidr, remembered));
  return stillFree ? remembered : chooseSubnet(lab.name, used);
}

/** MTU of the machine's default route: a larger one inside would lose packets if ICMP is filtered. */
export async function uplinkMtu(): Promise<number> {
  const routes = JSON.parse(await run("ip", ["-4", "-j", "route", "show", "default"]));
  const dev: unknown = routes[0]?.dev;
  if (typeof dev !== "string") {
    return 1500;
  }
  const links = JSON.parse(await run("ip", ["-j", "link", "show", "dev", dev])) as AddressEntry[];
  return links[0]?.mtu ?? 1500;
}

/** Creates or repairs the network namespace and its link to the host. */
export async function createNetwork(lab: Lab, link: LinkAddresses, mtu: number): Promise<void> {
  const { netns } = lab.paths;
  if (!isNamespace(netns)) {
    // Not "ip netns add", which leaves a mount on /run/netns.
    await prepareNamespaceFile(netns);
    await run("unshare", [`--net=${netns}`, "true"]);
  }
  if (!(await linkExists(lab, link))) {
    await createLink(lab, link, mtu);
  }
  // At every start, as an earlier one may have been killed.
  const inside = (...args: string[]) => runInNetwork(lab, "ip", ...args);
  await inside("link", "set", "lo", "up");
  await inside("link", "set", NODE_LINK, "up");
  await inside("route", "replace", "default", "via", link.host);
  await runInNetwork(lab, "sysctl", "-qw", "net.ipv4.ip_forward=1");
}

async function linkExists(lab: Lab, { host, node }: LinkAddresses): Promise<boolean> {
  const here = await attempt("ip", ["-4", "addr", "show", "dev", lab.link, "up"]);
  const there = await runInNetwork(lab, "ip", "-4", "addr", "show");
  return here.stdout.includes(`${host}/30`) && there.includes(`${node}/30`);
}

async function createLink(lab: Lab, link: LinkAddresses, mtu: number): Promise<void> {
  await attempt("ip", ["link", "del", lab.link]);
  const size = ["mtu", String(mtu)];
  const peer = ["peer", "name", NODE_LINK, ...size, "netns", lab.paths.netns];
  await run("ip", ["link", "add", lab.link, ...size, "type", "veth", ...peer]);
  await run("ip", ["addr", "add", `${link.host}/30`, "dev", lab.link]);
  await run("ip", ["link", "set", lab.link, "up"]);
  await runInNetwork(lab, "ip", "addr", "add", `${link.node}/30`, "dev", NODE_LINK);
}

/** Mounts on the standard paths; on cgroup v2 first the cgroup file system, whose root is the lab's cgroup. */
const MOUNT_SCRIPT = `set -e
mount --make-rshared /
if [ "$1" = own-cgroups ]; then umount --lazy /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; fi
shift
while [ $# -gt 0 ]; do mount --bind "$1" "$2"; shift 2; done`;

/** Whether the namespace has all of its mounts; the last one is that of the volumes. An earlier start may have been killed. */
async function mountsExist({ paths: { mountNamespace, volumes } }: Lab): Promise<boolean> {
  if (!isNamespace(mountNamespace)) {
    return false;
  }
  const list = [`--mount=${mountNamespace}`, "--", "cat", "/proc/self/mounts"];
  return (await run("nsenter", list)).includes(` ${volumes} `);
}

/** Creates the mount namespace with the lab's folders on the standard paths; mounts do not propagate between it and the host. */
export async function createMounts(lab: Lab): Promise<void> {
  const { mountNamespace, cgroupNamespace } = lab.paths;
  if (await mountsExist(lab)) {
    return;
  }
  await releaseNamespace(mountNamespace);
  await prepareNamespaceFile(mountNamespace);
  const pairs = bindings(lab);
  for (const path of pairs.flat()) {
    mkdirSync(path, { recursive: true });
  }
  const own = isNamespace(cgroupNamespace);
  const enter = own ? ["nsenter", `--cgroup=${cgroupNamespace}`, "--"] : [];
  const unshare = ["unshare", `--mount=${mountNamespace}`, "--propagation", "slave"];
  const script = ["sh", "-c", MOUNT_SCRIPT, "sh", own ? "own-cgroups" : "", ...pairs.flat()];
  const [command = "", ...args] = [...enter, ...unshare, ...script];
  await run(command, args);
}

/** Removes all namespaces and the link. All processes in them must have exited. */
export async function removeNamespaces(lab: Lab): Promise<void> {
  const { mountNamespace, netns, cgroupNamespace } = lab.paths;
  for (const file of [mountNamespace, netns, cgroupNamespace]) {
    await releaseNamespace(file);
  }
  await releaseFolder(dirname(netns));
  if (statSync(`/sys/class/net/${lab.link}`, { throwIfNoEntry: false })) {
    await attempt("ip", ["link", "del", lab.link]); // it may be removed already, with its namespace
  }
}
