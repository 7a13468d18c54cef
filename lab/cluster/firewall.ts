import { attempt, run } from "./shell";

/** One rule of the host's firewall, as the arguments after -A or -D. */
export interface Rule {
  readonly table: "nat" | "filter";
  readonly spec: readonly string[];
}

/**
 * Rules that let the lab's outgoing packets (with the host's address) and their replies through. Nothing else on the network
 * can open a connection to the lab. The comment names the lab.
 */
export function labRules(scope: string, link: string, subnet: string): Rule[] {
  const comment = ["-m", "comment", "--comment", scope];
  const answers = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
  return [
    { table: "nat", spec: ["POSTROUTING", "-s", subnet, ...comment, "-j", "MASQUERADE"] },
    { table: "filter", spec: ["FORWARD", "-i", link, ...comment, "-j", "ACCEPT"] },
    { table: "filter", spec: ["FORWARD", "-o", link, ...answers, ...comment, "-j", "ACCEPT"] },
  ];
}

/** The arguments that delete all rules with the comment, from the text of `iptables -S` of one table. */
export function rulesOf(scope: string, listing: string): string[][] {
  return listing
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([action, ...words]) => action === "-A" && commentOf(words) === scope)
    .map(([, ...words]) => words);
}

function commentOf(words: readonly string[]): string | undefined {
  const at = words.indexOf("--comment");
  return at < 0 ? undefined : words[at + 1]?.replaceAll('"', "");
}

/** Adds missing rules; first in their chains, before any DROP (Docker, ufw). */
export async function addRules(rules: readonly Rule[]): Promise<void> {
  for (const { table, spec } of rules) {
    const found = await attempt("iptables", ["-w", "-t", table, "-C", ...spec]);
    if (found.exitCode !== 0) {
      await run("iptables", ["-w", "-t", table, "-I", ...spec]);
    }
  }
}

/** Removes all rules of the lab, also those for an address that it had before. */
export async function removeRules(scope: string): Promise<void> {
  for (const table of ["nat", "filter"]) {
    const listing = await run("iptables", ["-w", "-t", table, "-S"]);
    for (const spec of rulesOf(scope, listing)) {
      await run("iptables", ["-w", "-t", table, "-D", ...spec]);
    }
  }
}

/** Whether another program (such as Docker) has rules for forwarded packets. */
export async function othersForwardPackets(): Promise<boolean> {
  const listing = await run("iptables", ["-w", "-t", "filter", "-S", "FORWARD"]);
  return listing.split("\n").some((line) => line.startsWith("-A "));
}
