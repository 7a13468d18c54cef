import { startLab } from "../../lab/cluster/lab";
import { ensurePulumi } from "../../toolchain/pulumi";
import { step } from "../common/terminal";
import { labOf } from "../stack/file";

/**
 * Starts the local cluster that a stack is on, where it is on one. Pulumi's tools are looked for, or built, as soon as the
 * cluster's own are there: while its parts start the processors have time.
 * @returns whether it is on one
 */
export async function ensureCluster(stack: string): Promise<boolean> {
  const name = labOf(stack);
  if (!name) return false;
  let pulumi: Promise<unknown> = Promise.resolve();
  const onTools = () => {
    pulumi = ensurePulumi(step);
    pulumi.catch(() => {}); // thrown below, when the lab is there
  };
  await startLab({ name }, step, { onTools });
  await pulumi;
  return true;
}
