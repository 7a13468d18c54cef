import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "./files";
import type { Weights } from "./promotion";

/** What a promotion notes beside the state before it changes anything: one that was killed has taken nothing back. */
export interface PromotionRecord {
  /** The weights that it began with. */
  before: Weights;
  /** Those that it has written last. */
  now: Weights;
}

/** Where the record of a stack's model is. */
export function recordFile(workDir: string, stack: string, model: string): string {
  return join(workDir, ".state", "promotions", stack, `${model}.json`);
}

export function note(file: string, record: PromotionRecord): void {
  mkdirSync(dirname(file), { recursive: true });
  replaceFile(file, `${JSON.stringify(record)}\n`);
}

/** The record of a promotion that did not come to its end, if there is one. */
export function noted(file: string): PromotionRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

export function forget(file: string): void {
  rmSync(file, { force: true });
}
