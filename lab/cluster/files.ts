import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { LabPaths } from "./identity";

/**
 * Writes a file that only its owner can read, and the folders above it, unless it has that content already: some components
 * (kube-proxy) exit when their configuration is written, even with the same text.
 */
export function writeIfChanged(path: string, content: string): void {
  if (contentOf(path) === content) {
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode: 0o600 });
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

/** Removes an empty folder. */
export function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) {
    rmdirSync(folder);
  }
}

/**
 * Removes a lab's folder. If it is interrupted, the lab has no data, and never a part of it: the data is renamed first, and
 * the settings, which identify the folder, are removed last.
 */
export function removeFolder({
  folder,
  data,
  settings,
}: Pick<LabPaths, "folder" | "data" | "settings">): void {
  if (!existsSync(folder)) {
    return;
  }
  const removed = `${data}.removed`;
  rmSync(removed, { recursive: true, force: true });
  if (existsSync(data)) {
    renameSync(data, removed);
  }
  const paths = readdirSync(folder).map((name) => join(folder, name));
  for (const path of paths.filter((it) => it !== settings)) {
    rmSync(path, { recursive: true, force: true });
  }
  rmSync(folder, { recursive: true });
}
