import { startLab } from "../lab/cluster/lab";
import { labOf } from "./stack";
import { step } from "./terminal";

/**
 * Starts the local cluster that a stack is on, where it is on one.
 * @returns whether it is
 */
export async function ensureCluster(stack: string): Promise<boolean> {
  const lab = labOf(stack);
  if (lab) await startLab({ name: lab }, step);
  return lab !== undefined;
}
