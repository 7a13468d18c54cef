import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { attempt, run } from "./shell";

/** File system type of a namespace file (linux/magic.h, NSFS_MAGIC). */
const NSFS_MAGIC = 0x6e736673;

/** Whether a namespace is mounted on a file, which keeps it in existence without a process in it. */
export function isNamespace(file: string): boolean {
  try {
    return statfsSync(file).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

function isMounted(folder: string): boolean {
  return readFileSync("/proc/self/mounts", "utf8").includes(` ${folder} `);
}

/**
 * Creates an empty file that `unshare` can mount a namespace on. Its folder becomes a private mount: a mount namespace can
 * only be mounted on a file whose mount is not shared with the namespace.
 */
export async function prepareNamespaceFile(file: string): Promise<void> {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  if (!isMounted(folder)) {
    await run("mount", ["--bind", folder, folder]);
    await run("mount", ["--make-private", folder]);
  }
  rmSync(file, { force: true });
  writeFileSync(file, "");
}

/** Unmounts a namespace, if there is one. The namespace ends with the last process in it. */
export async function releaseNamespace(file: string): Promise<void> {
  if (isNamespace(file)) {
    await run("umount", [file]);
  }
  rmSync(file, { force: true });
}

/** Removes the folder of namespace files, with everything that is mounted in it. */
export async function releaseFolder(folder: string): Promise<void> {
  if (isMounted(folder)) {
    await attempt("umount", ["--lazy", folder]);
  }
}
