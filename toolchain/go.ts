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
      if (entry.isDirectory()) {
        return filesBelow(folder, path);
      }
      return [[path, readFileSync(join(folder, path))]];
    });
}

/**
 * Hash of everything that determines a binary: the toolchain, the package and its options, and every
 * file of the module's folder (`go.sum` pins the content of all dependencies).
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

/** One build of a module. */
export interface Build {
  readonly module: GoModule;
  readonly pins: readonly GoPin[];
  /** An empty folder for files of the build. */
  readonly stage: string;
  /** Gets each executable as soon as it is complete, also if the build fails later or is interrupted. */
  onBuilt(pin: GoPin, file: string): void;
  /** Gets lines of progress. */
  readonly report: Report;
  /** Interval of progress in milliseconds. @default 15 s */
  readonly pace?: number;
}

/** Interval of lines of progress, in milliseconds. */
const PACE = 15_000;

/** Interval of checks for complete executables, in milliseconds. */
const CHECK_INTERVAL = 500;

/** Reports a line at regular intervals. */
function reporter({ report, pace = PACE }: Build, line: (seconds: number) => string | undefined) {
  let begin: number | undefined;
  const timer = setInterval(() => {
    const text = line(begin === undefined ? 0 : (Date.now() - begin) / 1000);
    if (text) {
      report(text);
    }
  }, pace);
  return {
    start: () => {
      begin ??= Date.now();
    },
    end: () => clearInterval(timer),
  };
}

/** Downloads the dependencies, and lists the packages that are not in Go's build cache. */
async function planBuild(build: Build, flags: readonly string[]): Promise<Plan> {
  const { folder } = build.module;
  let modules = 0;
  const reporting = reporter(build, () =>
    modules > 0 ? `${modules} Go modules downloaded so far` : undefined,
  );
  const packages = build.pins.map((pin) => pin.package);
  const count = (line: string) => {
    const downloads = line.startsWith("go: downloading ");
    if (downloads) {
      modules += 1;
    }
    return downloads;
  };
  const list = (format: string, args: readonly string[]) =>
    go(folder, ["list", ...flags, ...args, "-f", format, ...packages], {}, count).finally(
      reporting.end,
    );
  const answer = await list(PLAN_FORMAT, ["-deps"]);
  const paths = (await list("{{.ImportPath}}", [])).split("\n");
  const targets = new Map(paths.map((path) => [path, basename(path)]));
  return parsePlan(answer, sizeOf, targets);
}

function sizeOf(folder: string, files: readonly string[]): number {
  return files.reduce((all, file) => {
    // Also a file that exists only in an overlay.
    return all + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** Passes on the executables that were completed since the last check. */
function takeBuilt({ pins, onBuilt }: Build, bin: string, taken: Set<string>): void {
  for (const pin of pins) {
    const name = basename(pin.package);
    if (taken.has(name) || !existsSync(join(bin, name))) {
      continue;
    }
    taken.add(name);
    onBuilt(pin, join(bin, name));
  }
}

async function compile(build: Build, flags: readonly string[], plan: Plan): Promise<void> {
  const bin = join(build.stage, "bin");
  // On the file system of the executables, so that Go renames complete files.
  const temporary = join(build.stage, "tmp");
  for (const folder of [bin, temporary]) {
    mkdirSync(folder, { recursive: true });
  }
  const parallel = availableParallelism();
  const names = new Set(plan.packages.map(({ name }) => name));
  const begun: string[] = [];
  const linked = new Set<string>();
  const reporting = reporter(build, (seconds) =>
    begun.length > 0 ? progressLine(plan, { begun, linked, seconds, parallel }) : undefined,
  );
  const take = () => takeBuilt(build, bin, linked);
  const timer = setInterval(take, CHECK_INTERVAL);
  const isProgress = (line: string) => {
    if (names.has(line)) {
      begun.push(line);
    }
    if (begun.length > 0) {
      reporting.start();
    }
    // A line with only an import path means that the package is being compiled.
    return /^[\w.~/-]+$/.test(line);
  };
  const packages = build.pins.map((pin) => pin.package);
  const args = ["build", "-v", ...flags, "-o", `${bin}/`, ...packages];
  await go(build.module.folder, args, { GOTMPDIR: temporary }, isProgress).finally(() => {
    clearInterval(timer);
    reporting.end();
    take();
  });
}

/**
 * Builds packages of one module together, so that common packages are compiled once and all cores are used. Packages that
 * an interrupted build has compiled are in Go's build cache, so that the next one continues from there.
 *
 * @throws ToolError if Go is missing or too old, or the build fails: the message has the end of its output
 */
export async function goBuild(build: Build): Promise<void> {
  const { module, pins, stage } = build;
  const values = [...new Set(pins.flatMap((pin) => pin.values ?? []))];
  const flags = [
    "-buildvcs=false",
    "-trimpath",
    // No debug information, which the linker omits below: a tenth less to compile.
    "-gcflags=all=-dwarf=false",
    ...(await modfileFlags(module, stage)),
    ...(await overlayFlags(module, stage)),
    ...(module.tags ? ["-tags", module.tags.join(",")] : []),
    ...["-ldflags", ["-s", "-w", ...values.map((value) => `-X ${value}`)].join(" ")],
  ];
  await compile(build, flags, await planBuild(build, flags));
}

/** Removes the files of a build. */
export function removeStage(stage: string): void {
  // Processes of a stopped build may still write for a moment.
  rmSync(stage, { recursive: true, force: true, maxRetries: 5 });
}
