import { existsSync, readFileSync } from "node:fs";
import { LabError } from "./identity";

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

/** The machine's upstream name servers; none where pods could reach none. */
export function upstreamResolvers(): string[] {
  for (const path of SOURCES.filter((it) => existsSync(it))) {
    const servers = parseResolvers(readFileSync(path, "utf8"));
    if (servers.length > 0) return servers;
  }
  return [];
}

/** Throws where there is no name server: CoreDNS does not start without one. */
export function requireResolvers(resolvers: readonly string[]): void {
  if (resolvers.length > 0) return;
  throw new LabError(
    `No name server that pods can reach in ${SOURCES.join(", ")}: a loopback address does not serve them. Add a line "nameserver ADDRESS".`,
  );
}
