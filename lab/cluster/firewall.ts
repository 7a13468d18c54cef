import { attempt, run } from "./shell";

/** One rule of the host's firewall, as the words after -A or -D. */
export interface Rule {
  table: "nat" | "filter";
  spec: readonly string[];
}

/**
 * What the host must let through for a lab: whatever goes out from it (with the host's address), and the answers.
 * Nothing else on the network can open a connection to the lab. The comment says whose the rules are.
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

/** The delete commands for all rules that carry the comment, from the text of `iptables -S` of one table. */
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

/** Adds the rules that are missing; first in their chains, where a later DROP (Docker, ufw) cannot hide them. */
export async function addRules(rules: readonly Rule[]): Promise<void> {
  for (const { table, spec } of rules) {
    const found = await attempt("iptables", ["-w", "-t", table, "-C", ...spec]);
    if (found.exitCode !== 0) await run("iptables", ["-w", "-t", table, "-I", ...spec]);
  }
}

/** Removes every rule of the lab, also those of an address that it no longer has. */
export async function removeRules(scope: string): Promise<void> {
  for (const table of ["nat", "filter"]) {
    const listing = await run("iptables", ["-w", "-t", table, "-S"]);
    for (const spec of rulesOf(scope, listing)) {
      await run("iptables", ["-w", "-t", table, "-D", ...spec]);
    }
  }
}

/** Whether somebody else (Docker, say) has rules for packets that pass through the machine. */
export async function othersForward(): Promise<boolean> {
  const listing = await run("iptables", ["-w", "-t", "filter", "-S", "FORWARD"]);
  return listing.split("\n").some((line) => line.startsWith("-A "));
}
