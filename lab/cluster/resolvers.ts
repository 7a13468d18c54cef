import { existsSync, readFileSync } from "node:fs";

/** Files with name servers: those of systemd-resolved and NetworkManager first, as /etc/resolv.conf then has only a loopback address. */
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

/** The machine's upstream name servers that pods can reach; none on a machine that is offline, for example. */
export function upstreamResolvers(sources: readonly string[] = SOURCES): string[] {
  for (const path of sources.filter((it) => existsSync(it))) {
    const servers = parseResolvers(readFileSync(path, "utf8"));
    if (servers.length > 0) {
      return servers;
    }
  }
  return [];
}

/** The message for a machine without such name servers. */
export const NO_RESOLVERS = `Pods cannot resolve names from outside the cluster: ${SOURCES.join(", ")} have no IPv4 name server that pods can reach (a loopback address is not reachable). Add a line "nameserver ADDRESS", and run "up" again.`;

/** CoreDNS's directive for external names; empty without name servers, as CoreDNS does not start with an empty list. */
export function forwardDirective(resolvers: readonly string[]): string {
  return resolvers.length > 0 ? `forward . ${resolvers.join(" ")}` : "";
}
