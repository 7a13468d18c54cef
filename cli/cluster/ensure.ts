import { startLab } from "../../lab/cluster/lab";
import { ensurePulumi } from "../../toolchain/pulumi";
import { step } from "../common/terminal";
import { labOf } from "../stack/file";

/**
 * Starts the local cluster that a stack is on, if it is on one. Pulumi's tools are installed while the cluster's components
 * start, as the processors have time then.
 * @returns whether the stack is on a local cluster
 */
export async function ensureCluster(stack: string): Promise<boolean> {
  const name = labOf(stack);
  if (!name) {
    return false;
  }
  let pulumi: Promise<unknown> = Promise.resolve();
  const onTools = () => {
    pulumi = ensurePulumi(step);
    pulumi.catch(() => {}); // thrown below, after the lab has started
  };
  await startLab({ name }, step, { onTools });
  await pulumi;
  return true;
}
