import { duration } from "./cache";

/** A package or a link step that a build has still to do. */
export interface Step {
  /** A package's import path, or the name of an executable. */
  readonly name: string;
  /** Its share of the work. Unit: bytes of source to compile. */
  readonly weight: number;
}

/** All that a build has to do, without what Go's build cache has. */
export interface Plan {
  readonly packages: readonly Step[];
  readonly links: readonly Step[];
}

/**
 * What a package costs beside the bytes of its source: the start of a compiler, some 50 ms, in which a core compiles about
 * 6 kB.
 */
const PACKAGE = 6_000;

/** What linking costs for each package that an executable is made of. */
const LINK = 1_000;

/** Columns of a line that {@link parsePlan} reads; a template of `go list`. */
export const PLAN_FORMAT = [
  "{{.Stale}}",
  "{{.ImportPath}}",
  '{{if eq .Name "main"}}{{len .Deps}}{{end}}',
  "{{.Dir}}",
  '{{join .GoFiles "\t"}}\t{{join .SFiles "\t"}}',
].join("\t");

/**
 * Reads what `go list -deps` says of a build with {@link PLAN_FORMAT}.
 *
 * @param sizeOf size of a package's source in bytes
 * @param targets import path of each main package -> name of its executable
 */
export function parsePlan(
  answer: string,
  sizeOf: (folder: string, files: readonly string[]) => number,
  targets: ReadonlyMap<string, string>,
): Plan {
  const packages: Step[] = [];
  const links: Step[] = [];
  for (const line of answer.split("\n")) {
    const [stale, name = "", dependencies, folder = "", ...files] = line.split("\t");
    if (stale !== "true") continue;
    const weight = PACKAGE + sizeOf(folder, files.filter(Boolean));
    packages.push({ name, weight });
    const executable = targets.get(name);
    if (executable) links.push({ name: executable, weight: LINK * Number(dependencies) });
  }
  return { packages, links };
}

/** Time that must have passed, in seconds, and share of the work that must be done before anything is said of the rest. */
const BASE = { seconds: 20, share: 0.02 };

/** Seconds that the rest takes if it goes on as before; undefined while there is too little to base that on. */
export function secondsLeft(total: number, done: number, seconds: number): number | undefined {
  if (done <= 0 || seconds < BASE.seconds || done < total * BASE.share) return undefined;
  return ((total - done) / done) * seconds;
}

/** A time for people, as exact as an estimate is: whole minutes, or `less than a minute`. */
export function roughly(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes < 1 ? "less than a minute" : `about ${minutes} min`;
}

/** How far a build is. */
export interface Position {
  /** Packages whose compilation has begun, in the order in which they did. */
  readonly begun: readonly string[];
  /** Executables that are there. */
  readonly linked: ReadonlySet<string>;
  /** Time since the first package, in seconds. */
  readonly seconds: number;
  /** How many packages are compiled at a time: so many of `begun` are not done yet. */
  readonly parallel: number;
}

/** A line that says how much of a build is done, and about how long the rest takes once that can be told. */
export function progressLine(plan: Plan, position: Position): string {
  const { begun, linked, seconds, parallel } = position;
  const linking = plan.links.every(({ name }) => linked.has(name)) ? 0 : parallel;
  const compiled = new Set(begun.slice(0, Math.max(0, begun.length - linking)));
  const sum = (steps: readonly Step[]) => steps.reduce((all, { weight }) => all + weight, 0);
  const total = sum(plan.packages) + sum(plan.links);
  const done =
    sum(plan.packages.filter(({ name }) => compiled.has(name))) +
    sum(plan.links.filter(({ name }) => linked.has(name)));
  const left = secondsLeft(total, done, seconds);
  return [
    `${compiled.size} of ${plan.packages.length} packages compiled`,
    `${linked.size} of ${plan.links.length} tools linked`,
    left === undefined ? `${duration(seconds * 1000)} so far` : `${roughly(left)} left`,
  ].join(", ");
}
