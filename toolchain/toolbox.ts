import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheRoot, duration, namesOf, type Report, withLock } from "./cache";
import { type Downloader, downloader } from "./download";
import { buildHash, goBuild, removeStage } from "./go";
import { goToolchain } from "./go-command";
import { findOnPath, isExecutable } from "./on-path";
import type { GoPin, Pin } from "./pin";
import { fetchReleases, releasedPath } from "./release";

/** A table of pinned tools, with functions to find and install them. */
export interface Toolbox<Name extends string> {
  /** All names, in the order of the table. */
  readonly names: readonly Name[];
  /**
   * Path of a tool in the cache, even if it does not exist. The path contains the hash of the tool's pin, so
   * that it can be used as a key for files that are made from the tool.
   */
  cachedPath(name: Name): Promise<string>;
  /** An installed tool: one on PATH with a valid version, else a built one, else a downloaded one. */
  find(name: Name): Promise<string | undefined>;
  /**
   * Installs tools and returns their absolute paths. A tool on PATH is used if its version is valid; else one of the cache;
   * else the executable of its release, if there is one with a checksum; else it is built from its pinned Go module.
   * Concurrent calls build one after the other, and no tool twice. `ML_PLATFORM_BUILD=1`: no downloads.
   *
   * @param report gets lines while tools are downloaded and built; nothing if all are installed
   * @throws ToolError if Go is missing or too old, a build fails, or a download has a wrong checksum
   */
  ensure(names: readonly Name[], report: Report): Promise<ReadonlyMap<Name, string>>;
}

async function pinHash(pin: Pin): Promise<string> {
  if (pin.kind === "go") {
    return buildHash(pin, await goToolchain(pin.module.folder));
  }
  return createHash("sha256").update(pin.text).digest("hex").slice(0, 16);
}

async function cachedPathOf(name: string, pin: Pin): Promise<string> {
  const key = `${pin.version}-${await pinHash(pin)}`;
  return join(cacheRoot(), "tools", name, key, name);
}

async function findPin(name: string, pin: Pin): Promise<string | undefined> {
  const onPath = pin.kind === "go" && pin.onPath ? await findOnPath(name, pin.onPath) : undefined;
  if (onPath) {
    return onPath;
  }
  // The path of a built tool depends on the version of Go. Without Go, there may be a downloaded one.
  const built = await cachedPathOf(name, pin).catch(() => undefined);
  const released = pin.kind === "go" ? releasedPath(name, pin) : undefined;
  return [built, released].find((file) => file && isExecutable(file));
}

function writeScript(text: string, file: string): void {
  // Of this process alone: another one may write the same script.
  const partial = `${file}.${process.pid}.partial`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(partial, text);
  chmodSync(partial, 0o755);
  renameSync(partial, file);
}

/** A tool that is not in the cache. */
interface Missing {
  readonly name: string;
  readonly pin: GoPin;
}

/** Moves a built executable to the cache, atomically. */
function place(built: string, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  renameSync(built, file);
}

/** Builds tools of one module, without those that another process has built in the meantime. */
async function buildMissing(wanted: readonly Missing[], stage: string, report: Report) {
  const files = new Map<GoPin, string>();
  for (const { name, pin } of wanted) {
    files.set(pin, await cachedPathOf(name, pin));
  }
  const fileOf = (pin: GoPin) => files.get(pin) ?? "";
  const missing = wanted.filter(({ pin }) => !isExecutable(fileOf(pin)));
  const [first] = missing;
  if (!first) {
    return;
  }
  const label = namesOf(missing);
  report(`${label}: building ...`);
  const start = Date.now();
  removeStage(stage);
  mkdirSync(stage, { recursive: true });
  await goBuild({
    module: first.pin.module,
    pins: missing.map(({ pin }) => pin),
    stage,
    report: (line) => report(`${label}: ${line}`),
    onBuilt: (pin, built) => place(built, fileOf(pin)),
  }).finally(() => removeStage(stage));
  report(`${label}: built in ${duration(Date.now() - start)}`);
}

/** Builds the missing tools of each module, one module after the other, as a Go build uses all cores. */
async function buildAll(missing: readonly Missing[], report: Report): Promise<void> {
  for (const [folder, tools] of Map.groupBy(missing, ({ pin }) => pin.module.folder)) {
    const key = createHash("sha256").update(folder).digest("hex").slice(0, 16);
    const stage = join(cacheRoot(), "build", key);
    const onWait = () => report("tools: another run is building them, waiting ...");
    await withLock(`${stage}.lock`, onWait, () => buildMissing(tools, stage, report));
  }
}

/** The last build of this process: the next one waits until it is settled. */
let lastBuild: Promise<unknown> = Promise.resolve();

function queued<T>(work: () => Promise<T>): Promise<T> {
  const next = lastBuild.then(work, work);
  lastBuild = next.catch(() => undefined);
  return next;
}

/** One downloader per process: it remembers the sites that do not respond. */
const usualDownloader = downloader();

/** Downloads releases if possible, and returns the tools that must be built. */
async function withoutReleased(missing: readonly Missing[], download: Downloader, report: Report) {
  const released = missing.filter(({ name, pin }) => releasedPath(name, pin));
  if (released.length === 0 || process.env.ML_PLATFORM_BUILD) {
    return missing;
  }
  const failures = await fetchReleases(released, download, report);
  for (const [reason, names] of Map.groupBy(failures.keys(), (name) => failures.get(name))) {
    const tools = missing.filter(({ name }) => names.includes(name));
    report(`${namesOf(tools)}: no download, so built here. Reason: ${reason}`);
  }
  return missing.filter((tool) => failures.has(tool.name) || !released.includes(tool));
}

/**
 * Returns the toolbox of a table.
 *
 * @param download downloads releases
 */
export function toolbox<Name extends string>(
  pins: Readonly<Record<Name, Pin>>,
  download: Downloader = usualDownloader,
): Toolbox<Name> {
  const find = (name: Name) => findPin(name, pins[name]);
  const cachedPath = (name: Name) => cachedPathOf(name, pins[name]);
  const missingOf = async (names: readonly Name[]) => {
    const missing: Missing[] = [];
    for (const name of names) {
      const pin = pins[name];
      if (await find(name)) {
        continue;
      }
      if (pin.kind === "script") {
        writeScript(pin.text, await cachedPath(name));
      } else {
        missing.push({ name, pin });
      }
    }
    return missing;
  };
  const ensure = async (names: readonly Name[], report: Report) => {
    const missing = await missingOf(names);
    const left = await withoutReleased(missing, download, report);
    if (left.length > 0) {
      await queued(() => buildAll(left, report));
    }
    const found = new Map<Name, string>();
    for (const name of names) {
      found.set(name, (await find(name)) ?? (await cachedPath(name)));
    }
    return found;
  };
  return { names: Object.keys(pins) as Name[], cachedPath, find, ensure };
}
