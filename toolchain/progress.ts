import { duration } from "./cache";

/** A package to compile, or an executable to link. */
export interface Step {
  /** The import path of a package, or the name of an executable. */
  readonly name: string;
  /** Its work, in bytes of source to compile. */
  readonly weight: number;
}

/** All steps of a build, without packages in Go's build cache. */
export interface Plan {
  readonly packages: readonly Step[];
  readonly links: readonly Step[];
}

/**
 * Work of a package in addition to its source: the start of a compiler takes some 50 ms, in which a core compiles about
 * 6 kB.
 */
const PACKAGE = 6_000;

/** Work of linking for each package of an executable. */
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
 * Parses the output of `go list -deps` with {@link PLAN_FORMAT}.
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
    if (stale !== "true") {
      continue;
    }
    const weight = PACKAGE + sizeOf(folder, files.filter(Boolean));
    packages.push({ name, weight });
    const executable = targets.get(name);
    if (executable) {
      links.push({ name: executable, weight: LINK * Number(dependencies) });
    }
  }
  return { packages, links };
}

/** Minimum time in seconds, and minimum share of the work, before the remaining time is estimated. */
const BASE = { seconds: 20, share: 0.02 };

/** Estimated remaining seconds at the current speed; undefined before the minimum time and work. */
export function secondsLeft(total: number, done: number, seconds: number): number | undefined {
  if (done <= 0 || seconds < BASE.seconds || done < total * BASE.share) {
    return undefined;
  }
  return ((total - done) / done) * seconds;
}

/** An estimated time as text: whole minutes, or `less than a minute`. */
export function roughly(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes < 1 ? "less than a minute" : `about ${minutes} min`;
}

/** Progress of a build. */
export interface Position {
  /** Packages whose compilation has started, in order. */
  readonly begun: readonly string[];
  /** Complete executables. */
  readonly linked: ReadonlySet<string>;
  /** Time since the first package, in seconds. */
  readonly seconds: number;
  /** Number of packages that are compiled at a time: the last ones of `begun` are not done yet. */
  readonly parallel: number;
}

/** A line with the progress of a build, and the estimated remaining time if it is known. */
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
