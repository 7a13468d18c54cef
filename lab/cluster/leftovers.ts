import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeIfEmpty } from "./files";
import { RUN_ROOT } from "./identity";
import { MOUNT_POINTS } from "./namespaces";

/**
 * Paths that appear with a lab: files of programs that it runs (skopeo's list of layers, whose name is another one in Debian 12
 * than in 13), each before its folder, and mount points.
 */
const PATHS = [
  ...MOUNT_POINTS,
  "/var/lib/containers/cache/blob-info-cache-v1.boltdb",
  "/var/lib/containers/cache/blob-info-cache-v1.sqlite",
  "/var/lib/containers/cache",
  "/var/lib/containers",
  "/run/runc",
];

/** Paths, and the file with those of them that do not exist before the first lab. */
interface PathRecord {
  readonly file: string;
  readonly paths: readonly string[];
}

const isVolatile = (path: string) => path.startsWith("/run/");

/** One is kept over a reboot, as its paths are; the other one is removed by it together with its paths. */
const RECORDS: readonly PathRecord[] = [
  { file: "/var/lib/ml-lab-leftovers.json", paths: PATHS.filter((path) => !isVolatile(path)) },
  { file: join(RUN_ROOT, "leftovers.json"), paths: PATHS.filter(isVolatile) },
];

/** Records which paths do not exist before the first lab. */
export function recordAbsent(records = RECORDS): void {
  for (const { file, paths } of records.filter((it) => !existsSync(it.file))) {
    // Renamed when complete, as it is only written once.
    const begun = `${file}.new`;
    writeFileSync(begun, JSON.stringify(paths.filter((path) => !existsSync(path))));
    renameSync(begun, file);
  }
}

/** Removes the paths that were created since, unless they contain files of others; to be called after the last lab was stopped. */
export function removeLeftovers(records = RECORDS): void {
  for (const { file } of records.filter((it) => existsSync(it.file))) {
    for (const path of JSON.parse(readFileSync(file, "utf8")) as string[]) {
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
        removeIfEmpty(path);
      } else {
        rmSync(path, { force: true });
      }
    }
    rmSync(file);
  }
}
