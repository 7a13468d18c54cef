import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { removeIfEmpty } from "./files";
import { MOUNT_POINTS } from "./namespaces";

/**
 * What comes with a lab: what programs make for themselves while it runs (skopeo's list of layers), the contents before their
 * folders, and what is mounted over.
 */
const PLACES = [
  ...MOUNT_POINTS,
  "/var/lib/containers/cache/blob-info-cache-v1.boltdb",
  "/var/lib/containers/cache",
  "/var/lib/containers",
  "/run/runc",
];

/** Outlives a reboot, as those places do. */
const NOTED = "/var/lib/ml-lab-leftovers.json";

/** Notes which of those places are not there before the first lab. */
export function noteAbsent(places = PLACES, noted = NOTED): void {
  if (existsSync(noted)) return;
  // Under another name until it is whole: nothing would write it again.
  const begun = `${noted}.new`;
  writeFileSync(begun, JSON.stringify(places.filter((path) => !existsSync(path))));
  renameSync(begun, noted);
}

/** Takes away what has come since, where nothing of anybody else's is in it; to be called when the last lab has gone. */
export function removeLeftovers(noted = NOTED): void {
  if (!existsSync(noted)) return;
  for (const path of JSON.parse(readFileSync(noted, "utf8")) as string[]) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) removeIfEmpty(path);
    else rmSync(path, { force: true });
  }
  rmSync(noted);
}
