import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RUN_ROOT } from "./identity";

const FORWARDING = "net/ipv4/ip_forward";
/** Kernel settings that a lab (forwarding) or its kubelet (the others) changes while it runs, with the new values. */
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

/** Settings that the kernel changes with forwarding (Documentation/networking/ip-sysctl). */
function dependentSettings(root: string): string[] {
  const conf = "net/ipv4/conf";
  const links = readdirSync(join(root, conf)).map((link) => `${conf}/${link}/forwarding`);
  return [...links, `${conf}/all/accept_redirects`];
}

/** Saves the settings before the first lab changes them, and enables forwarding. */
export function prepareKernel(root = ROOT, saved = SAVED): void {
  const values = read(root, [...Object.keys(CHANGED), ...dependentSettings(root)]);
  try {
    writeFileSync(saved, JSON.stringify(values), { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  }
  if (values[FORWARDING] !== "1") {
    writeFileSync(join(root, FORWARDING), "1");
  }
}

/**
 * Restores the settings, except for those that another program has changed since; to be called after the last lab was
 * stopped.
 *
 * @param forwarding whether another program needs forwarding by now
 */
export function restoreKernel(forwarding: boolean, root = ROOT, saved = SAVED): void {
  let before: Settings;
  try {
    before = JSON.parse(readFileSync(saved, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw error;
    }
    return;
  }
  const write = (names: readonly string[]) => {
    for (const [name, now] of Object.entries(read(root, names))) {
      const value = before[name];
      if (value !== undefined && value !== now) {
        writeFileSync(join(root, name), value);
      }
    }
  };
  const now = read(root, Object.keys(CHANGED));
  const ours = Object.keys(CHANGED).filter((name) => now[name] === CHANGED[name]);
  const back = ours.filter((name) => name !== FORWARDING || !forwarding);
  write(back);
  if (back.includes(FORWARDING) && before[FORWARDING] !== "1") {
    write(dependentSettings(root));
  }
  rmSync(saved);
}

/** Id of the current boot: pid files of earlier boots are invalid. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
