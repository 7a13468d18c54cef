import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { removeIfEmpty } from "./files";
import { MOUNT_POINTS } from "./namespaces";

/**
 * Paths that appear with a lab: files of programs that it runs (skopeo's list of layers), each before its folder, and mount
 * points.
 */
const PATHS = [
  ...MOUNT_POINTS,
  "/var/lib/containers/cache/blob-info-cache-v1.boltdb",
  "/var/lib/containers/cache",
  "/var/lib/containers",
  "/run/runc",
];

/** Kept over a reboot, as those paths are. */
const RECORD = "/var/lib/ml-lab-leftovers.json";

/** Records which of those paths do not exist before the first lab. */
export function recordAbsent(places = PATHS, record = RECORD): void {
  if (existsSync(record)) {
    return;
  }
  // Renamed when complete, as it is only written once.
  const begun = `${record}.new`;
  writeFileSync(begun, JSON.stringify(places.filter((path) => !existsSync(path))));
  renameSync(begun, record);
}

/** Removes the paths that were created since, unless they contain files of others; to be called after the last lab was stopped. */
export function removeLeftovers(record = RECORD): void {
  if (!existsSync(record)) {
    return;
  }
  for (const path of JSON.parse(readFileSync(record, "utf8")) as string[]) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      removeIfEmpty(path);
    } else {
      rmSync(path, { force: true });
    }
  }
  rmSync(record);
}
