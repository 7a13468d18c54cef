import { mkdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseSubnet, type LinkAddresses, overlaps } from "./addresses";
import type { Lab } from "./identity";
import { attempt, run } from "./shell";

/** File system type of a namespace file (linux/magic.h, NSFS_MAGIC). */
const NSFS_MAGIC = 0x6e736673;

/** Node end of the veth pair: an ordinary name, since it is alone in its namespace. */
const NODE_LINK = "eth0";

/**
 * The lab's own file behind each standard place, seen only by the lab's processes. Their defaults then hold, two labs
 * (or a Docker of the machine) never meet there, and every mount ends with the namespace.
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

/** Places that exist on the host only so that something can be mounted over them. */
export const MOUNT_POINTS = [
  "/var/lib/containerd",
  "/run/containerd",
  "/var/lib/kubelet",
  "/var/log/pods",
  "/var/log/containers",
  "/var/lib/cni",
] as const;

function isNamespace(file: string): boolean {
  try {
    return statfsSync(file).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

/** Whether both namespaces of the lab exist. */
export function namespacesExist(lab: Lab): boolean {
  return isNamespace(lab.paths.netns) && isNamespace(lab.paths.mountNamespace);
}

interface RouteEntry {
  dst: string;
  dev?: string;
}
interface AddressEntry {
  ifname: string;
  mtu: number;
  addr_info: { local: string; prefixlen: number }[];
}

/** Networks that the host knows besides the lab's own link. */
async function usedNetworks(lab: Lab): Promise<string[]> {
  const routes = JSON.parse(await run("ip", ["-4", "-j", "route"])) as RouteEntry[];
  const links = JSON.parse(await run("ip", ["-4", "-j", "addr"])) as AddressEntry[];
  const fromRoutes = routes.filter(({ dev, dst }) => dev !== lab.link && dst !== "default");
  const fromLinks = links.filter(({ ifname }) => ifname !== lab.link);
  return [
    ...fromRoutes.map(({ dst }) => dst),
    ...fromLinks.flatMap(({ addr_info }) =>
      addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    ),
  ];
}

/** The remembered /30 if nothing else on the machine uses it, or a free one. */
export async function freeSubnet(lab: Lab, remembered: string | undefined): Promise<string> {
  const used = await usedNetworks(lab);
  const stillFree = remembered && !used.some((cidr) => overlaps(cidr, remembered));
  return stillFree ? remembered : chooseSubnet(lab.name, used);
}

/** Packet size of the machine's way out: a larger one inside would lose packets where ICMP is filtered. */
export async function outerMtu(): Promise<number> {
  const routes = JSON.parse(await run("ip", ["-4", "-j", "route", "show", "default"]));
  const dev: unknown = routes[0]?.dev;
  if (typeof dev !== "string") return 1500;
  const links = JSON.parse(await run("ip", ["-j", "link", "show", "dev", dev])) as AddressEntry[];
  return links[0]?.mtu ?? 1500;
}

/** Makes (or repairs) the network namespace and its link to the host. */
export async function createNetwork(lab: Lab, link: LinkAddresses, mtu: number): Promise<void> {
  if (!isNamespace(lab.paths.netns)) {
    rmSync(lab.paths.netns, { force: true }); // an empty file, left over from before a reboot
    await run("ip", ["netns", "add", lab.scope]);
  }
  if (!(await linkStands(lab, link))) await createLink(lab, link, mtu);
  await run("nsenter", [`--net=${lab.paths.netns}`, "sysctl", "-qw", "net.ipv4.ip_forward=1"]);
}

async function linkStands(lab: Lab, { host, node }: LinkAddresses): Promise<boolean> {
  const here = await attempt("ip", ["-4", "addr", "show", "dev", lab.link, "up"]);
  const there = await attempt("ip", ["-n", lab.scope, "-4", "addr", "show", "dev", NODE_LINK]);
  return here.stdout.includes(`${host}/30`) && there.stdout.includes(`${node}/30`);
}

async function createLink(lab: Lab, link: LinkAddresses, mtu: number): Promise<void> {
  await attempt("ip", ["link", "del", lab.link]);
  const size = ["mtu", String(mtu)];
  const peer = ["peer", "name", NODE_LINK, ...size, "netns", lab.scope];
  await run("ip", ["link", "add", lab.link, ...size, "type", "veth", ...peer]);
  await run("ip", ["addr", "add", `${link.host}/30`, "dev", lab.link]);
  await run("ip", ["link", "set", lab.link, "up"]);
  const inside = (...args: string[]) => run("ip", ["-n", lab.scope, ...args]);
  await inside("link", "set", "lo", "up");
  await inside("addr", "add", `${link.node}/30`, "dev", NODE_LINK);
  await inside("link", "set", NODE_LINK, "up");
  await inside("route", "replace", "default", "via", link.host);
}

/** Makes the mount namespace with the lab's files in the standard places; mounts of the host do not leak into it, nor its own out. */
export async function createMounts(lab: Lab): Promise<void> {
  const { mountNamespace } = lab.paths;
  if (isNamespace(mountNamespace)) return;
  const holder = dirname(mountNamespace);
  await attempt("umount", ["--lazy", holder]);
  mkdirSync(holder, { recursive: true });
  // A namespace can only be pinned on a mount that is not shared with the namespace itself.
  await run("mount", ["--bind", holder, holder]);
  await run("mount", ["--make-private", holder]);
  writeFileSync(mountNamespace, "");
  const pairs = bindings(lab);
  for (const path of pairs.flat()) mkdirSync(path, { recursive: true });
  const script = `set -e
mount --make-rshared /
while [ $# -gt 0 ]; do mount --bind "$1" "$2"; shift 2; done`;
  const unshare = [`--mount=${mountNamespace}`, "--propagation", "slave"];
  await run("unshare", [...unshare, "sh", "-c", script, "sh", ...pairs.flat()]);
}

/** Takes both namespaces and the link away. All processes inside must have ended. */
export async function removeNamespaces(lab: Lab): Promise<void> {
  const { mountNamespace, netns } = lab.paths;
  const holder = dirname(mountNamespace);
  if (isNamespace(mountNamespace)) await run("umount", [mountNamespace]);
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  if (mounts.includes(` ${holder} `)) await run("umount", ["--lazy", holder]);
  if (isNamespace(netns)) await run("ip", ["netns", "del", lab.scope]);
  rmSync(netns, { force: true });
  if (statSync(`/sys/class/net/${lab.link}`, { throwIfNoEntry: false })) {
    await attempt("ip", ["link", "del", lab.link]); // it may be going already, with its namespace
  }
}
