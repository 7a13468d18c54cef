import { ensureCluster } from "../cluster/ensure";
import { step } from "../common/terminal";
import type { Interruption } from "../interruption";
import { openStack } from ".";
import { readState } from "./state";

/** The options of `ml-platform preview`. */
export interface PreviewOptions {
  readonly stack: string;
  readonly expectNoChanges?: boolean;
}

/** Shows what an update of a stack would change, and runs the policies on it. */
export async function preview(
  { stack: name, expectNoChanges }: PreviewOptions,
  interruption: Interruption,
): Promise<void> {
  await ensureCluster(name);
  const open = await openStack({ name }, step);
  const { deployment } = await readState(open);
  if (deployment.pending_operations?.length) {
    step(
      `stack ${name}: an update was interrupted, and the preview does not know what it created; npm start finishes it first`,
    );
  }
  const { stack, options } = open;
  await interruption.guard((signal) =>
    stack.preview({ ...options, signal, diff: true, expectNoChanges }),
  );
}
