import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheRoot, duration, type Report, withLock } from "./cache";
import { buildHash, folderOf, goBuild, goToolchain } from "./go";
import { findOnPath, isExecutable } from "./on-path";
import { type GoPin, type Pin, pinOf, type ToolName } from "./pins";

export type { Report } from "./cache";
export { ensureDebianPackages } from "./debian";
export type { ToolName } from "./pins";

async function pinHash(pin: Pin): Promise<string> {
  if (pin.kind === "go") return buildHash(pin, await goToolchain(folderOf(pin)));
  return createHash("sha256").update(pin.text).digest("hex").slice(0, 16);
}

/**
 * Where the cache holds a tool, whether it is there or not. The path names the tool's pin, so that
 * it also serves as a key of what is made from the tool.
 */
export async function cachedPath(name: ToolName): Promise<string> {
  const pin = pinOf(name);
  const key = `${pin.version}-${await pinHash(pin)}`;
  return join(cacheRoot(), "tools", name, key, name);
}

/** A tool that is there already: a good one on PATH, else the built one. Nothing is built. */
export async function findTool(name: ToolName): Promise<string | undefined> {
  const pin = pinOf(name);
  const onPath = pin.kind === "go" && pin.onPath ? await findOnPath(name, pin.onPath) : undefined;
  if (onPath) return onPath;
  const file = await cachedPath(name);
  return isExecutable(file) ? file : undefined;
}

function writeScript(text: string, file: string): void {
  const partial = `${file}.partial`;
  writeFileSync(partial, text);
  chmodSync(partial, 0o755);
  renameSync(partial, file);
}

async function buildReported(name: ToolName, pin: GoPin, file: string, report: Report) {
  const label = `${name} ${pin.version}`;
  report(`${label}: building (about ${pin.minutes} min on two cores) ...`);
  const start = Date.now();
  await goBuild(pin, file);
  report(`${label}: built in ${duration(Date.now() - start)}`);
}

async function provide(name: ToolName, report: Report): Promise<string> {
  const pin = pinOf(name);
  const file = await cachedPath(name);
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  const onWait = () => report(`${name} ${pin.version}: another run is building it, waiting ...`);
  await withLock(`${folder}.lock`, onWait, async () => {
    if (isExecutable(file)) return;
    if (pin.kind === "script") writeScript(pin.text, file);
    else await buildReported(name, pin, file, report);
  });
  return file;
}

/**
 * Makes sure of tools and gives their absolute paths. A tool of PATH is taken where its version is
 * good; else it is built from its pinned Go module into the cache, once per pin.
 *
 * @param report gets a line before and after each build; nothing where all is there.
 * @throws where Go is missing or too old, or a build fails: the message has the end of its output.
 */
export async function ensureTools(
  names: readonly ToolName[],
  report: Report,
): Promise<ReadonlyMap<ToolName, string>> {
  const found = await Promise.all(names.map(findTool));
  const paths = new Map<ToolName, string>();
  // One after the other: a Go build uses every core by itself.
  for (const [index, name] of names.entries()) {
    paths.set(name, found[index] ?? (await provide(name, report)));
  }
  return paths;
}
