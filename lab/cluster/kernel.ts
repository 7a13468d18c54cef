import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RUN_ROOT } from "./identity";

const FORWARDING = "net/ipv4/ip_forward";
/** Settings of the machine that a lab (forwarding) or its kubelet (the others) changes while it runs, and to what. */
const CHANGED: Readonly<Record<string, string>> = {
  [FORWARDING]: "1",
  "vm/overcommit_memory": "1",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
};

const ROOT = "/proc/sys";
const SAVED = join(RUN_ROOT, "kernel.json");

type Settings = Record<string, string>;

function read(root: string, names: readonly string[]): Settings {
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(root, name), "utf8").trim()]),
  );
}

/** What the kernel sets to other values whenever forwarding is switched (Documentation/networking/ip-sysctl). */
function followers(root: string): string[] {
  const conf = "net/ipv4/conf";
  const links = readdirSync(join(root, conf)).map((link) => `${conf}/${link}/forwarding`);
  return [...links, `${conf}/all/accept_redirects`];
}

/** Notes the machine's settings before the first lab changes them, and lets it forward packets. */
export function prepareKernel(root = ROOT, saved = SAVED): void {
  const values = read(root, [...Object.keys(CHANGED), ...followers(root)]);
  try {
    writeFileSync(saved, JSON.stringify(values), { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (values[FORWARDING] !== "1") writeFileSync(join(root, FORWARDING), "1");
}

/**
 * Gives the machine its settings back, but for those that somebody has changed since; to be called when the last lab
 * has gone.
 *
 * @param forwarding whether something else on the machine forwards packets by now, and must go on
 */
export function restoreKernel(forwarding: boolean, root = ROOT, saved = SAVED): void {
  let before: Settings;
  try {
    before = JSON.parse(readFileSync(saved, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return;
  }
  const write = (names: readonly string[]) => {
    for (const [name, now] of Object.entries(read(root, names))) {
      const value = before[name];
      if (value !== undefined && value !== now) writeFileSync(join(root, name), value);
    }
  };
  const now = read(root, Object.keys(CHANGED));
  const ours = Object.keys(CHANGED).filter((name) => now[name] === CHANGED[name]);
  const back = ours.filter((name) => name !== FORWARDING || !forwarding);
  write(back);
  if (back.includes(FORWARDING) && before[FORWARDING] !== "1") write(followers(root));
  rmSync(saved);
}

/** Identity of this boot of the machine: pid files of an earlier one mean nothing. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
