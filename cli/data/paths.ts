import { statSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { PART } from "./transfer";

/**
 * The path of a file or folder in a volume, relative to its top.
 * @throws Error where it leaves the volume, or is the name of an incomplete file
 */
export function pathInVolume(path: string): string {
  const normal = posix.normalize(path).replace(/\/$/, "");
  if (posix.isAbsolute(normal) || normal.startsWith("..")) {
    throw new Error(`${path} is not in the volume; write a path from its top, such as sets/a.csv`);
  }
  if (normal.endsWith(PART)) {
    throw new Error(`${path}: names with ${PART} are those of incomplete files; write another one`);
  }
  return normal;
}

/** The path of a file that is copied to `path`, which is a folder if it ends with a slash. Default: the file's own name. */
export function targetOf(file: string, path = ""): string {
  const name = posix.basename(file);
  return pathInVolume(path === "" || path.endsWith("/") ? posix.join(path, name) : path);
}

/**
 * The path of a file of this machine; a relative one starts in the folder in which the command was called.
 * @param name of the file where `path` is a folder
 */
export function localFile(path: string, name = "", from = process.env.CALLED_FROM ?? "."): string {
  const full = resolve(from, path);
  const folder = path.endsWith("/") || statSync(full, { throwIfNoEntry: false })?.isDirectory();
  return folder ? join(full, name) : full;
}

/**
 * The size of a file of this machine, in bytes.
 * @throws Error where there is no such file
 */
export function requireFile(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    const what = found ? "is not a file; put copies one file" : "does not exist";
    throw new Error(`${file} ${what}`);
  }
  return found.size;
}
