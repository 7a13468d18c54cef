import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Report } from "../../toolchain";
import { replaceFile } from "../common/files";
import { processesWith } from "../interruption/process-table";
import { stackConfig, stackFile } from "../stack/file";
import { formatWeights, type Weights } from "./shares";
import { writeWeights } from "./weights";

/** Two start times of one process may differ by this where the clock was set in between, in milliseconds. */
const TOLERANCE = 5000;

/** What a promotion writes beside the state before it changes anything, as one that is killed does not roll back. */
export interface PromotionRecord {
  /** The weights from before it. */
  readonly before: Weights;
  /** The weights that it wrote last. */
  readonly now: Weights;
  /** The process that runs it. */
  readonly pid: number;
  /** When that process started, in milliseconds since 1970. Together with its number this identifies one process. */
  readonly started: number;
}

/** The path of the record for a stack's model. */
export function recordFile(workDir: string, stack: string, model: string): string {
  return join(workDir, ".state", "promotions", stack, `${model}.json`);
}

/** Records what the promotion of this process is about to change. */
export function writeRecord(file: string, weights: Pick<PromotionRecord, "before" | "now">): void {
  const { pid } = process;
  const started = processesWith(pid)[0]?.started ?? 0;
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, `${JSON.stringify({ ...weights, pid, started })}\n`);
}

/**
 * The record of a promotion that did not end, if there is one.
 * @throws Error where the promotion still runs
 */
export function readRecord(file: string): PromotionRecord | undefined {
  let record: PromotionRecord;
  try {
    record = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
  const { pid, started } = record;
  const same = processesWith(pid).some((one) => Math.abs(one.started - started) < TOLERANCE);
  if (same && pid !== process.pid) {
    const model = basename(file, ".json");
    throw new Error(
      `${model} is being promoted by process ${pid}; wait until it ends, or interrupt it`,
    );
  }
  return record;
}

/** Whether a model has the weights from before a promotion or those that it wrote: nobody has changed them by hand since. */
export function weightsUnchanged({ before, now }: PromotionRecord, present: Weights): boolean {
  return [before, now].some((one) => isDeepStrictEqual(one, present));
}

/**
 * Rolls killed promotions back in the stack's file; the update that follows applies the weights to the cluster. Weights that
 * were changed by hand since stay as they are.
 * @throws Error where a promotion is still going on
 */
export function rollBackKilled(stack: string, workDir: string, report: Report): void {
  const folder = dirname(recordFile(workDir, stack, ""));
  if (!existsSync(folder)) {
    return;
  }
  for (const name of readdirSync(folder).filter((it) => it.endsWith(".json"))) {
    const [file, model] = [join(folder, name), basename(name, ".json")];
    const record = readRecord(file);
    if (record && weightsUnchanged(record, weightsOf(stack, workDir, model))) {
      writeWeights(stackFile(stack, workDir), model, record.before);
      report(
        `${model}: an earlier promotion was killed; rolling back to ${formatWeights(record.before)}`,
      );
    }
    removeRecord(file);
  }
}

/** The weights of a model's variants in a stack's file; none where there is no such model. */
function weightsOf(stack: string, workDir: string, model: string): Weights {
  const { team } = stackConfig(stack, workDir);
  const found = team?.models?.find(({ name }) => name === model);
  return Object.fromEntries((found?.variants ?? []).map(({ name, weight }) => [name, weight]));
}

/** Removes the record of a promotion that has ended. */
export function removeRecord(file: string): void {
  rmSync(file, { force: true });
}
