import { ensureCluster } from "../cluster/ensure";
import { fail, step } from "../common/terminal";
import type { Interruption } from "../interruption";
import { finishInterrupted } from "../interruption/unfinished";
import { openStack } from "../stack";
import { promote, RollbackFailedError } from "./promotion";

/** The options of `ml-platform promote`. */
export interface PromoteOptions {
  readonly stack: string;
  readonly model: string;
  readonly to?: string;
  readonly prometheus?: string;
}

/** What later signals are answered with: the rollback has started by then, and must not be cut short. */
export const ROLLING_BACK = "already rolling back";

/** Sets the exit code of a promotion, and prints why it was refused. */
export function conclude(interruption: Interruption, promotion: Promise<boolean>): Promise<void> {
  const done = promotion.then((promoted) => {
    process.exitCode = promoted ? 0 : 1;
  });
  return interruption.conclude(done, (error) => {
    fail(error);
    process.exitCode = error instanceof RollbackFailedError ? 3 : 2;
  });
}

/** @returns whether the variant gets all requests now */
export async function run(
  { stack: name, model, to, prometheus }: PromoteOptions,
  interruption: Interruption,
): Promise<boolean> {
  await ensureCluster(name);
  const open = await openStack({ name }, step);
  await interruption.guard((signal) => finishInterrupted(open, signal, step));
  return interruption.guard(
    (signal) => promote({ open, model, to, prometheusUrl: prometheus, signal }, step),
    ROLLING_BACK,
  );
}
