import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import type { Report } from "./cache";
import { modfileFlags, overlayFlags } from "./changes";
import { go, goEnvironment } from "./go-command";
import type { GoModule, GoPin } from "./pin";
import { PLAN_FORMAT, type Plan, parsePlan, progressLine } from "./progress";

/** Every file below a folder, as relative path and content, in a fixed order. */
function filesBelow(folder: string, prefix = ""): [string, Buffer][] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry): [string, Buffer][] => {
      const path = join(prefix, entry.name);
      if (entry.isDirectory()) return filesBelow(folder, path);
      return [[path, readFileSync(join(folder, path))]];
    });
}

/**
 * Hash of everything that determines a binary: the toolchain, what is built and how, and every
 * file of the module's folder (`go.sum` pins the content of all that it depends on).
 */
export function buildHash(pin: GoPin, toolchain: string): string {
  const hash = createHash("sha256");
  const { version, package: target, values, module } = pin;
  const { folder, ...how } = module;
  hash.update(JSON.stringify([toolchain, version, target, values, how, goEnvironment]));
  for (const [path, content] of filesBelow(folder)) {
    hash.update(`\0${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** What one build of a module makes, and where. */
export interface Build {
  readonly module: GoModule;
  readonly pins: readonly GoPin[];
  /** An empty folder for the build's own files. */
  readonly stage: string;
  /** Gets each executable as soon as it is whole: also before a build that fails later, or is interrupted. */
  onBuilt(pin: GoPin, file: string): void;
  /** Gets a line on how far the build is, at the pace. */
  readonly report: Report;
  /** @default every 15 s */
  readonly pace?: number;
}

/** Time between two lines of progress, in milliseconds. */
const PACE = 15_000;

/** Time between two looks for finished executables, in milliseconds. */
const LOOK = 500;

/** Counts what Go tells, and says it at its pace. */
function teller({ report, pace = PACE }: Build, line: (seconds: number) => string | undefined) {
  let begin: number | undefined;
  const timer = setInterval(() => {
    const text = line(begin === undefined ? 0 : (Date.now() - begin) / 1000);
    if (text) report(text);
  }, pace);
  return {
    start: () => {
      begin ??= Date.now();
    },
    end: () => clearInterval(timer),
  };
}

/** Downloads what the build needs, and finds out what Go's build cache lacks of it. */
async function planBuild(build: Build, flags: readonly string[]): Promise<Plan> {
  const { folder } = build.module;
  let modules = 0;
  const told = teller(build, () =>
    modules > 0 ? `${modules} Go modules downloaded so far` : undefined,
  );
  const packages = build.pins.map((pin) => pin.package);
  const count = (line: string) => {
    const downloads = line.startsWith("go: downloading ");
    if (downloads) modules += 1;
    return downloads;
  };
  const list = (format: string, args: readonly string[]) =>
    go(folder, ["list", ...flags, ...args, "-f", format, ...packages], {}, count).finally(told.end);
  const answer = await list(PLAN_FORMAT, ["-deps"]);
  const paths = (await list("{{.ImportPath}}", [])).split("\n");
  const targets = new Map(paths.map((path) => [path, basename(path)]));
  return parsePlan(answer, sizeOf, targets);
}

function sizeOf(folder: string, files: readonly string[]): number {
  return files.reduce((all, file) => {
    // Also a file that only an overlay shows to the build.
    return all + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** Hands over the executables that have become whole since the last look. */
function takeBuilt({ pins, onBuilt }: Build, bin: string, taken: Set<string>): void {
  for (const pin of pins) {
    const name = basename(pin.package);
    if (taken.has(name) || !existsSync(join(bin, name))) continue;
    taken.add(name);
    onBuilt(pin, join(bin, name));
  }
}

async function compile(build: Build, flags: readonly string[], plan: Plan): Promise<void> {
  const bin = join(build.stage, "bin");
  // On the file system of the executables, so that Go renames them into their places: what is there is whole.
  const temporary = join(build.stage, "tmp");
  for (const folder of [bin, temporary]) mkdirSync(folder, { recursive: true });
  const parallel = availableParallelism();
  const names = new Set(plan.packages.map(({ name }) => name));
  const begun: string[] = [];
  const linked = new Set<string>();
  const told = teller(build, (seconds) =>
    begun.length > 0 ? progressLine(plan, { begun, linked, seconds, parallel }) : undefined,
  );
  const take = () => takeBuilt(build, bin, linked);
  const timer = setInterval(take, LOOK);
  const isProgress = (line: string) => {
    if (names.has(line)) begun.push(line);
    if (begun.length > 0) told.start();
    // A line with nothing but the import path of a package says that it is being compiled.
    return /^[\w.~/-]+$/.test(line);
  };
  const packages = build.pins.map((pin) => pin.package);
  const args = ["build", "-v", ...flags, "-o", `${bin}/`, ...packages];
  await go(build.module.folder, args, { GOTMPDIR: temporary }, isProgress).finally(() => {
    clearInterval(timer);
    told.end();
    take();
  });
}

/**
 * Builds packages of one module in one go, so that what they share is compiled once and every core is busy. What an
 * interrupted build has compiled is in Go's own build cache, so that the next one goes on from there.
 *
 * @throws ToolError where Go is missing or too old, or the build fails: the message has the end of its output
 */
export async function goBuild(build: Build): Promise<void> {
  const { module, pins, stage } = build;
  const values = [...new Set(pins.flatMap((pin) => pin.values ?? []))];
  const flags = [
    "-buildvcs=false",
    "-trimpath",
    // Nothing for debuggers, which the linker is told to leave out below: a tenth less to compile.
    "-gcflags=all=-dwarf=false",
    ...(await modfileFlags(module, stage)),
    ...(await overlayFlags(module, stage)),
    ...(module.tags ? ["-tags", module.tags.join(",")] : []),
    ...["-ldflags", ["-s", "-w", ...values.map((value) => `-X ${value}`)].join(" ")],
  ];
  await compile(build, flags, await planBuild(build, flags));
}

/** Removes a build's own files. */
export function removeStage(stage: string): void {
  // What an ended build has started may write for a moment longer.
  rmSync(stage, { recursive: true, force: true, maxRetries: 5 });
}
