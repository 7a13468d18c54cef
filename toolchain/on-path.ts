import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { x } from "tinyexec";
import { ToolError } from "./error";
import type { PathRule, Range } from "./pin";

/** Timeout of a version query in milliseconds: for a tool that hangs, and long enough for a slow machine. */
const answerTimeout = 120_000;

/** The first `major.minor.patch` in a text, as numbers. */
export function parseVersion(text: string): [number, number, number] | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

/** Whether the first version in `text` is in `[from, below)`. */
export function versionInRange(text: string, range: Range): boolean {
  const version = parseVersion(text);
  const from = parseVersion(range[0]);
  const below = parseVersion(range[1]);
  if (!version || !from || !below) {
    return false;
  }
  return compare(version, from) >= 0 && compare(version, below) < 0;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((part, at) => part !== b[at]);
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}

/** The first executable file of that name in the folders of `path`. */
export function which(name: string, path = process.env.PATH ?? ""): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Whether a file exists and is executable. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The tool on PATH, if its version is in the range of the rule. */
export async function findOnPath(name: string, rule: PathRule): Promise<string | undefined> {
  const file = which(name);
  if (!file) {
    return undefined;
  }
  const answer = await x(file, [...rule.versionArgs], { timeout: answerTimeout }).then(
    (output) => output,
    (error: Error) => {
      const command = [file, ...rule.versionArgs].join(" ");
      throw new ToolError(`"${command}" does not print its version (${error.message}).`);
    },
  );
  return answer.exitCode === 0 && versionInRange(answer.stdout, rule.range) ? file : undefined;
}
