import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RUN_ROOT } from "./identity";

/** Settings of the machine that a lab (forwarding) or its kubelet (the others) changes while it runs. */
const CHANGED = [
  "net/ipv4/ip_forward",
  "vm/overcommit_memory",
  "kernel/panic",
  "kernel/panic_on_oops",
] as const;

const SAVED = join(RUN_ROOT, "kernel.json");

const settingFile = (name: string) => join("/proc/sys", name);

/** Notes the machine's settings before the first lab changes them, and lets it forward packets. */
export function prepareKernel(): void {
  const values = CHANGED.map((name) => [name, readFileSync(settingFile(name), "utf8").trim()]);
  try {
    writeFileSync(SAVED, JSON.stringify(Object.fromEntries(values)), { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  writeFileSync(settingFile("net/ipv4/ip_forward"), "1");
}

/** Gives the machine its settings back; to be called when the last lab has gone. */
export function restoreKernel(): void {
  try {
    const values = JSON.parse(readFileSync(SAVED, "utf8")) as Record<string, string>;
    for (const name of CHANGED) writeFileSync(settingFile(name), values[name] ?? "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  rmSync(SAVED, { force: true });
}

/** Identity of this boot of the machine: pid files of an earlier one mean nothing. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
