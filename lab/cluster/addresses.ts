import { createHash } from "node:crypto";
import { LabError } from "./identity";

/** The addresses of a lab's link to the host. */
export interface LinkAddresses {
  /** The /30 in CIDR form. */
  readonly subnet: string;
  readonly host: string;
  readonly node: string;
}

/**
 * The networks from which a lab's /30 is chosen, in order: private ranges that home routers, Docker and clouds seldom use,
 * and the benchmarking range of RFC 2544 for machines whose VPN routes all private ranges.
 */
const POOLS = ["10.231.0.0/16", "172.29.0.0/16", "192.168.231.0/24", "198.18.0.0/16"] as const;
/** Addresses in a /30. */
const BLOCK = 4;

interface Range {
  readonly first: number;
  readonly last: number;
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

function toRange(cidr: string): Range {
  const [address = "", bits = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(toNumber(address) / size) * size;
  return { first, last: first + size - 1 };
}

/** Whether two IPv4 networks (in CIDR notation, or an address as /32) overlap. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [toRange(one), toRange(other)];
  return a.first <= b.last && b.first <= a.last;
}

/** Host and node address of a /30: its two usable addresses. */
export function linkAddresses(subnet: string): LinkAddresses {
  const { first } = toRange(subnet);
  return { subnet, host: toAddress(first + 1), node: toAddress(first + 2) };
}

/**
 * A /30 that does not overlap `used`. The search starts at an offset that depends on the name, so that two labs of a machine
 * seldom get the same one, and a lab gets the same addresses again.
 */
export function chooseSubnet(name: string, used: readonly string[]): string {
  const start = createHash("sha256").update(name).digest().readUInt32BE(0);
  for (const pool of POOLS) {
    const { first, last } = toRange(pool);
    const blocks = (last - first + 1) / BLOCK;
    for (let step = 0; step < blocks; step++) {
      const subnet = `${toAddress(first + ((start + step) % blocks) * BLOCK)}/30`;
      if (!used.some((cidr) => overlaps(cidr, subnet))) {
        return subnet;
      }
    }
  }
  throw new LabError(
    `No free addresses for the lab: this machine routes all of ${POOLS.join(", ")}. Free one of them (see "ip route").`,
  );
}
