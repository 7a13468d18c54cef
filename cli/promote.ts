import { Command } from "commander";
import type { Report } from "../toolchain";
import { ensureCluster } from "./cluster";
import { Interruption } from "./interruption";
import { shareOf, shown, type Weights } from "./promotion";
import { observerOf, type PromotionRequest, planOf, refusePending } from "./promotion-plan";
import { forget, note, noted, recordFile, untouched } from "./promotion-record";
import { openStack, ROOT, stackFile } from "./stack";
import { fail, reasonOf, step } from "./terminal";
import { finishInterrupted } from "./unfinished";
import { byTheClock, watch } from "./watch";
import { writeWeights } from "./weights";

/** Going back failed: requests are split as the last step had them. */
export class StrandedError extends Error {}

/**
 * Gives a variant more of a model's requests step by step, as long as it holds what the model's `promotion` asks for, and
 * takes them all back as soon as it does not, an update fails or the signal comes.
 * @returns whether the variant has all requests now; if not, the weights are those from before
 * @throws Error before anything is changed where the request cannot be followed, {@link StrandedError} where going back fails
 */
export async function promote(request: PromotionRequest, report: Report): Promise<boolean> {
  await undoKilled(request, report);
  const plan = planOf(request);
  const { model, candidate, before } = plan;
  if (plan.rungs.length === 0) {
    report(`${model}: ${candidate} has all requests already`);
    return true;
  }
  const look = await observerOf(request, plan);
  await refusePending(request);
  const { signal, pause = byTheClock } = request;
  let changed = false;
  try {
    for (const weights of plan.rungs) {
      signal?.throwIfAborted();
      report(`${model}: ${shown(weights)}; watched for ${plan.promotion.window} s`);
      if (weights !== before) {
        changed = true;
        note(recordOf(request), { before, now: weights });
        await apply(request, weights);
      }
      const { holds, reason } = await watch(look, plan.promotion.window, (seconds) =>
        pause(seconds, signal),
      );
      const share = Math.round(shareOf(weights, candidate));
      report(`${model}: ${candidate} at ${share} %: ${reason}`);
      if (!holds) throw new Error(reason);
    }
    signal?.throwIfAborted();
    forget(recordOf(request));
    return true;
  } catch (error) {
    const why = reasonOf(signal?.aborted ? signal.reason : error);
    report(`${model}: ${changed ? "going back to" : "stays at"} ${shown(before)}: ${why}`);
    if (changed) await goBack(request, before, report);
    return false;
  }
}

async function apply({ open, signal, ...request }: PromotionRequest, weights: Weights) {
  writeWeights(fileOf({ open, ...request }), request.model, weights);
  await open.stack.preview({ ...open.options, signal });
  signal?.throwIfAborted();
  await open.stack.up({ ...open.options, signal });
}

/** Without a preview: these weights have passed once, and each second of it goes to the variant that does not hold. */
async function goBack(request: PromotionRequest, before: Weights, report: Report): Promise<void> {
  const { open, model } = request;
  try {
    writeWeights(fileOf(request), model, before);
    await open.stack.up(open.options);
  } catch (error) {
    throw new StrandedError(
      `${model}: the way back failed; see that ${fileOf(request)} has ${shown(before)}, and update the stack: ${reasonOf(error)}`,
    );
  }
  forget(recordOf(request));
  report(`${model}: ${shown(before)} again`);
}

/** Takes back what an earlier promotion has left that was killed, unless the weights were changed by hand since. */
async function undoKilled(request: PromotionRequest, report: Report): Promise<void> {
  const record = noted(recordOf(request));
  if (!record) return;
  const { model, before: present } = planOf(request);
  if (!untouched(record, present)) return forget(recordOf(request));
  report(`${model}: a promotion was killed; going back to ${shown(record.before)} first`);
  await goBack(request, record.before, report);
}

function fileOf({ open, workDir }: PromotionRequest): string {
  return stackFile(open.stack.name, workDir);
}

function recordOf({ open, workDir = ROOT, model }: PromotionRequest): string {
  return recordFile(workDir, open.stack.name, model);
}

interface Options {
  stack: string;
  model: string;
  to?: string;
  prometheus?: string;
}

/** What later signals are answered with: by then the old weights are being put back, which must not be cut short. */
export const GOING_BACK = "already going back";

/** What a promotion that is interrupted before it has begun leaves behind. */
export const NOT_BEGUN = "nothing was changed; npm run promote begins anew";

/** What the command's exit codes say. */
const EXIT_CODES = `
Exit code:
  0  the variant has all requests, or had them already
  1  it did not hold, an update failed or a signal came: the weights are those from before
  2  refused: nothing was changed
  3  the way back failed: the message says what is left to do
  129, 130, 131, 143  a signal came before anything was changed`;

/** Sets the exit code that a promotion's end has, and prints why it was refused. */
export function conclude(interruption: Interruption, promotion: Promise<boolean>): Promise<void> {
  const done = promotion.then((promoted) => {
    process.exitCode = promoted ? 0 : 1;
  });
  return interruption.conclude(done, (error) => {
    fail(error);
    process.exitCode = error instanceof StrandedError ? 3 : 2;
  });
}

async function run(
  { stack: name, model, to, prometheus }: Options,
  interruption: Interruption,
): Promise<boolean> {
  await ensureCluster(name);
  const open = await openStack({ name }, step);
  await interruption.guard((signal) => finishInterrupted(open, signal, step));
  return interruption.guard(
    (signal) => promote({ open, model, to, prometheusUrl: prometheus, signal }, step),
    GOING_BACK,
  );
}

function command(): Promise<Command> {
  return (
    new Command("npm run promote --")
      .description(
        "Gives a variant of a model more of its requests, step by step, while Prometheus shows that it holds what the\nmodel's `promotion` asks for; else goes back to the weights before.",
      )
      .requiredOption("--model <name>", "the model")
      .option("--stack <name>", "the stack that serves it", "dev")
      .option("--to <variant>", "the variant; default: of two, the one beside main")
      .option(
        "--prometheus <url>",
        "Prometheus, as it is reached from here; default: the address that the stack puts out",
      )
      .addHelpText("after", EXIT_CODES)
      // A wrong option is a refusal as well.
      .exitOverride(({ exitCode }) => process.exit(exitCode && 2))
      .action((options: Options) => {
        const interruption = new Interruption(NOT_BEGUN);
        return conclude(interruption, run(options, interruption));
      })
      .parseAsync()
  );
}

if (require.main === module) command();
