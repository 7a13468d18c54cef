import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeIfEmpty } from "./files";
import { RUN_ROOT } from "./identity";
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
];

const NOTED = join(RUN_ROOT, "leftovers.json");

/** Notes which of those places are not there before the first lab. */
export function noteAbsent(places = PLACES, noted = NOTED): void {
  if (existsSync(noted)) return;
  writeFileSync(noted, JSON.stringify(places.filter((path) => !existsSync(path))));
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
