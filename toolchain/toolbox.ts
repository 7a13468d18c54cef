import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheRoot, duration, type Report, withLock } from "./cache";
import { buildHash, goBuild, goToolchain, removeStage } from "./go";
import { findOnPath, isExecutable } from "./on-path";
import type { GoPin, Pin } from "./pin";

/** A table of pinned tools, and the ways to get at them. */
export interface Toolbox<Name extends string> {
  /** All names, in the order of the table. */
  readonly names: readonly Name[];
  /**
   * Where the cache holds a tool, whether it is there or not. The path names the tool's pin, so that
   * it also serves as a key of what is made from the tool.
   */
  cachedPath(name: Name): Promise<string>;
  /** A tool that is there already: a good one on PATH, else the built one. Nothing is built. */
  find(name: Name): Promise<string | undefined>;
  /**
   * Makes sure of tools and gives their absolute paths. A tool of PATH is taken where its version is
   * good; else it is built from its pinned Go module into the cache, once per pin.
   *
   * @param report gets a line before and after each build; nothing where all is there.
   * @throws where Go is missing or too old, or a build fails: the message has the end of its output.
   */
  ensure(names: readonly Name[], report: Report): Promise<ReadonlyMap<Name, string>>;
}

async function pinHash(pin: Pin): Promise<string> {
  if (pin.kind === "go") return buildHash(pin, await goToolchain(pin.module.folder));
  return createHash("sha256").update(pin.text).digest("hex").slice(0, 16);
}

async function cachedPathOf(name: string, pin: Pin): Promise<string> {
  const key = `${pin.version}-${await pinHash(pin)}`;
  return join(cacheRoot(), "tools", name, key, name);
}

async function findPin(name: string, pin: Pin): Promise<string | undefined> {
  const onPath = pin.kind === "go" && pin.onPath ? await findOnPath(name, pin.onPath) : undefined;
  if (onPath) return onPath;
  const file = await cachedPathOf(name, pin);
  return isExecutable(file) ? file : undefined;
}

function writeScript(text: string, file: string): void {
  const partial = `${file}.partial`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(partial, text);
  chmodSync(partial, 0o755);
  renameSync(partial, file);
}

/** A tool that the cache lacks, and where it belongs. */
interface Missing {
  readonly name: string;
  readonly pin: GoPin;
  readonly file: string;
}

async function buildMissing(wanted: readonly Missing[], stage: string, report: Report) {
  const missing = wanted.filter(({ file }) => !isExecutable(file));
  const [first] = missing;
  if (!first) return;
  const label = missing.map(({ name, pin }) => `${name} ${pin.version}`).join(", ");
  report(`${label}: building ...`);
  const start = Date.now();
  await removeStage(stage);
  const pins = missing.map(({ pin }) => pin);
  const built = await goBuild(first.pin.module, pins, stage);
  for (const [index, { file }] of missing.entries()) {
    mkdirSync(dirname(file), { recursive: true });
    renameSync(built[index] ?? "", file);
  }
  await removeStage(stage);
  report(`${label}: built in ${duration(Date.now() - start)}`);
}

/** Builds what is missing of each module, one module after the other: a Go build uses every core by itself. */
async function buildAll(missing: readonly Missing[], report: Report): Promise<void> {
  for (const [folder, tools] of Map.groupBy(missing, ({ pin }) => pin.module.folder)) {
    const key = createHash("sha256").update(folder).digest("hex").slice(0, 16);
    const stage = join(cacheRoot(), "build", key);
    const onWait = () => report("tools: another run is building them, waiting ...");
    await withLock(`${stage}.lock`, onWait, () => buildMissing(tools, stage, report));
  }
}

/** Gives access to the tools of a table. */
export function toolbox<Name extends string>(pins: Readonly<Record<Name, Pin>>): Toolbox<Name> {
  const find = (name: Name) => findPin(name, pins[name]);
  const cachedPath = (name: Name) => cachedPathOf(name, pins[name]);
  const ensure = async (names: readonly Name[], report: Report) => {
    const found = await Promise.all(names.map(find));
    const missing: Missing[] = [];
    const paths = new Map<Name, string>();
    for (const [index, name] of names.entries()) {
      const pin = pins[name];
      const file = found[index] ?? (await cachedPath(name));
      paths.set(name, file);
      if (found[index]) continue;
      if (pin.kind === "script") writeScript(pin.text, file);
      else missing.push({ name, pin, file });
    }
    await buildAll(missing, report);
    return paths;
  };
  return { names: Object.keys(pins) as Name[], cachedPath, find, ensure };
}
