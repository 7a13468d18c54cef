import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Report } from "../toolchain";
import { replaceFile } from "./files";
import { processesWith } from "./process-table";
import { shown, type Weights } from "./promotion";
import { stackConfig, stackFile } from "./stack";
import { writeWeights } from "./weights";

/** By how much the start of one process may seem to differ where the clock was set meanwhile, in milliseconds. */
const SLACK = 5000;

/** What a promotion notes beside the state before it changes anything: one that was killed has taken nothing back. */
export interface PromotionRecord {
  /** The weights that it began with. */
  before: Weights;
  /** Those that it has written last. */
  now: Weights;
  /** The process that promotes. */
  pid: number;
  /** When that was started, in milliseconds since 1970: with the number it names one process. */
  started: number;
}

/** Where the record of a stack's model is. */
export function recordFile(workDir: string, stack: string, model: string): string {
  return join(workDir, ".state", "promotions", stack, `${model}.json`);
}

/** Notes what this process's promotion is about to change. */
export function note(file: string, weights: Pick<PromotionRecord, "before" | "now">): void {
  const { pid } = process;
  const started = processesWith(pid)[0]?.started ?? 0;
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, `${JSON.stringify({ ...weights, pid, started })}\n`);
}

/**
 * The record of a promotion that did not come to its end, if there is one.
 * @throws Error where the promotion is still going on
 */
export function noted(file: string): PromotionRecord | undefined {
  let record: PromotionRecord;
  try {
    record = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
  const { pid, started } = record;
  const same = processesWith(pid).some((one) => Math.abs(one.started - started) < SLACK);
  if (same && pid !== process.pid) {
    const model = basename(file, ".json");
    throw new Error(
      `${model} is being promoted by process ${pid}; wait for its end, or interrupt it`,
    );
  }
  return record;
}

/** Whether a model has the weights that a promotion has begun with or given it: then nobody has changed them by hand since. */
export function untouched({ before, now }: PromotionRecord, present: Weights): boolean {
  return [before, now].some((one) => isDeepStrictEqual(one, present));
}

/**
 * Puts the weights back, in the stack's file, that promotions have left which were killed; the update that follows makes them
 * the cluster's. Weights that were changed by hand since stay as they are.
 * @throws Error where a promotion is still going on
 */
export function takeBackKilled(stack: string, workDir: string, report: Report): void {
  const folder = dirname(recordFile(workDir, stack, ""));
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((it) => it.endsWith(".json"))) {
    const [file, model] = [join(folder, name), basename(name, ".json")];
    const record = noted(file);
    if (record && untouched(record, weightsOf(stack, workDir, model))) {
      writeWeights(stackFile(stack, workDir), model, record.before);
      report(`${model}: a promotion was killed; going back to ${shown(record.before)}`);
    }
    forget(file);
  }
}

/** The weights that a stack's file gives the variants of a model; none where it has no such model. */
function weightsOf(stack: string, workDir: string, model: string): Weights {
  const { team } = stackConfig(stack, workDir);
  const found = team?.models?.find(({ name }) => name === model);
  return Object.fromEntries((found?.variants ?? []).map(({ name, weight }) => [name, weight]));
}

export function forget(file: string): void {
  rmSync(file, { force: true });
}
