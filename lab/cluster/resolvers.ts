import { existsSync, readFileSync } from "node:fs";

/** Lists of real servers, of systemd-resolved and NetworkManager; /etc/resolv.conf then names only a loopback address. */
const SOURCES = [
  "/run/systemd/resolve/resolv.conf",
  "/run/NetworkManager/no-stub-resolv.conf",
  "/etc/resolv.conf",
];

/** IPv4 name servers of a resolv.conf that can be reached from another network namespace. */
export function parseResolvers(text: string): string[] {
  const servers = [...text.matchAll(/^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)];
  return servers.map(([, address]) => address ?? "").filter((it) => !it.startsWith("127."));
}

/** The machine's upstream name servers that pods can ask; none on a machine that is offline, for example. */
export function upstreamResolvers(sources: readonly string[] = SOURCES): string[] {
  for (const path of sources.filter((it) => existsSync(it))) {
    const servers = parseResolvers(readFileSync(path, "utf8"));
    if (servers.length > 0) return servers;
  }
  return [];
}

/** What a machine without such name servers means for pods, and what to do. */
export const NO_RESOLVERS = `Pods cannot resolve names from outside the cluster: ${SOURCES.join(", ")} have no IPv4 name server that they can reach (a loopback address is none). Add a line "nameserver ADDRESS", and run "up" again.`;

/** CoreDNS's directive for names from outside; none without name servers, as CoreDNS does not start with an empty list. */
export function forwardDirective(resolvers: readonly string[]): string {
  return resolvers.length > 0 ? `forward . ${resolvers.join(" ")}` : "";
}
