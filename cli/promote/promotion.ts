import type { Report } from "../../toolchain";
import { ROOT } from "../common/root";
import { reasonOf } from "../common/terminal";
import { stackFile } from "../stack/file";
import {
  observerOf,
  type Plan,
  type PromotionRequest,
  planOf,
  requireNoOtherChanges,
} from "./plan";
import { readRecord, recordFile, removeRecord, weightsUnchanged, writeRecord } from "./record";
import { formatWeights, shareOf, type Weights } from "./shares";
import { type Observer, sleep, watch } from "./watch";
import { writeWeights } from "./weights";

/** The rollback failed: requests are split as in the last step. */
export class RollbackFailedError extends Error {}

/**
 * Gives a variant more of a model's requests step by step, while it meets the model's `promotion`. Rolls back to the weights
 * from before as soon as it does not, an update fails or the signal comes.
 * @returns whether the variant gets all requests now; if not, the weights are those from before
 * @throws Error before anything is changed where the request is refused, {@link RollbackFailedError} where the rollback fails
 */
export async function promote(request: PromotionRequest, report: Report): Promise<boolean> {
  await rollBackKilled(request, report);
  const plan = planOf(request);
  const { model, candidate, before } = plan;
  if (plan.steps.length === 0) {
    report(`${model}: ${candidate} gets all requests already`);
    return true;
  }
  const observe = await observerOf(request, plan);
  await requireNoOtherChanges(request);
  const { signal } = request;
  let changed = false;
  try {
    for (const weights of plan.steps) {
      signal?.throwIfAborted();
      changed ||= weights !== before;
      await runStep(request, plan, weights, observe, report);
    }
    signal?.throwIfAborted();
    removeRecord(recordOf(request));
    return true;
  } catch (error) {
    const why = reasonOf(signal?.aborted ? signal.reason : error);
    report(
      `${model}: ${changed ? "rolling back to" : "stays at"} ${formatWeights(before)}: ${why}`,
    );
    if (changed) {
      await rollBack(request, before, report);
    }
    return false;
  }
}

/**
 * Gives the variants their weights of one step, and watches the candidate.
 * @throws Error where an update fails, a check fails or the signal comes
 */
async function runStep(
  request: PromotionRequest,
  { model, candidate, before, promotion: { window } }: Plan,
  weights: Weights,
  observe: Observer,
  report: Report,
): Promise<void> {
  const { signal, pause = sleep } = request;
  report(`${model}: ${formatWeights(weights)}; watched for ${window} s`);
  if (weights !== before) {
    writeRecord(recordOf(request), { before, now: weights });
    await apply(request, weights);
  }
  const { passed, reason } = await watch(observe, window, (seconds) => pause(seconds, signal));
  const share = Math.round(shareOf(weights, candidate));
  report(`${model}: ${candidate} at ${share} %: ${reason}`);
  if (!passed) {
    throw new Error(reason);
  }
}

async function apply({ open, signal, ...request }: PromotionRequest, weights: Weights) {
  writeWeights(fileOf({ open, ...request }), request.model, weights);
  await open.stack.preview({ ...open.options, signal });
  signal?.throwIfAborted();
  await open.stack.up({ ...open.options, signal });
}

/** Without a preview: these weights have passed once, and each second of it goes to the variant that failed. */
async function rollBack(request: PromotionRequest, before: Weights, report: Report): Promise<void> {
  const { open, model } = request;
  try {
    writeWeights(fileOf(request), model, before);
    await open.stack.up(open.options);
  } catch (error) {
    throw new RollbackFailedError(
      `${model}: the rollback failed; check that ${fileOf(request)} has ${formatWeights(before)}, and update the stack: ${reasonOf(error)}`,
    );
  }
  removeRecord(recordOf(request));
  report(`${model}: rolled back to ${formatWeights(before)}`);
}

/** Rolls back an earlier promotion that was killed, unless the weights were changed by hand since. */
async function rollBackKilled(request: PromotionRequest, report: Report): Promise<void> {
  const record = readRecord(recordOf(request));
  if (!record) {
    return;
  }
  const { model, before: present } = planOf(request);
  if (!weightsUnchanged(record, present)) {
    return removeRecord(recordOf(request));
  }
  report(
    `${model}: an earlier promotion was killed; rolling back to ${formatWeights(record.before)} first`,
  );
  await rollBack(request, record.before, report);
}

function fileOf({ open, workDir }: PromotionRequest): string {
  return stackFile(open.stack.name, workDir);
}

function recordOf({ open, workDir = ROOT, model }: PromotionRequest): string {
  return recordFile(workDir, open.stack.name, model);
}
