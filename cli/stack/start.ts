import type { Report } from "../../toolchain";
import { checkCluster } from "../cluster/check";
import { ensureCluster } from "../cluster/ensure";
import { type OwnCluster, ownStack, requireContext } from "../cluster/own";
import { ROOT } from "../common/root";
import { step } from "../common/terminal";
import { lockImages } from "../images/lock";
import type { Interruption } from "../interruption";
import { finishInterrupted } from "../interruption/unfinished";
import { rollBackKilled } from "../promote/record";
import { type OpenStack, openStack } from ".";
import { keepCertificate } from "./certificate";
import { firstPrediction, type StackOutputs, summary } from "./summary";

/** The options of `ml-platform start`. */
export interface StartOptions extends OwnCluster {
  readonly stack?: string;
}

/**
 * Updates a stack, and finishes an interrupted command first.
 * @returns the stack's outputs
 * @throws Error where the engine was interrupted, or failed
 */
export async function update(
  open: OpenStack,
  signal: AbortSignal,
  report: Report,
): Promise<StackOutputs> {
  const { stack, options } = open;
  await finishInterrupted(open, signal, report);
  rollBackKilled(stack.name, open.workDir, report);
  // An update writes some resources before it reaches an invalid one. A preview finds all invalid ones, and writes nothing.
  signal.throwIfAborted();
  report(`stack ${stack.name}: previewing`);
  await stack.preview({ ...options, signal });
  signal.throwIfAborted();
  report(`stack ${stack.name}: updating`);
  // With a refresh, so that the update repairs what was changed or lost by hand, or with an earlier cluster.
  const { outputs } = await stack.up({ ...options, signal, refresh: true });
  return Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value]));
}

/** Updates a stack on the local cluster, or on a cluster of the user's own, and prints what the user needs next. */
export async function start(
  { stack: named, context, ...cluster }: StartOptions,
  interruption: Interruption,
): Promise<void> {
  requireContext({ context, ...cluster });
  const name = context
    ? await ownStack({ context, ...cluster }, checkCluster, ROOT, named)
    : (named ?? "dev");
  const local = await ensureCluster(name);
  if (!local) {
    await lockImages(name, step);
  }
  const open = await openStack({ name }, step);
  const outputs = await interruption.guard((signal) => update(open, signal, step));
  keepCertificate(name, outputs.certificateAuthority);
  const prediction = await firstPrediction(outputs, local);
  process.stdout.write(`\n${await summary(name, outputs, prediction)}\n`);
}
