import { Command } from "commander";
import { startLab } from "../lab/cluster/lab";
import { labOf, openStack } from "./stack";
import { fail, step } from "./terminal";

interface DestroyOptions {
  stack: string;
  yes?: boolean;
}

async function destroy({ stack: name, yes }: DestroyOptions): Promise<void> {
  const lab = labOf(name);
  if (!lab && !yes) {
    throw new Error(
      `stack ${name} is on a cluster of yours: add --yes to destroy it with all its data`,
    );
  }
  if (lab) await startLab({ name: lab }, step);
  const { stack, options } = await openStack({ name }, step);
  step(`stack ${name}: destroying`);
  const { color, onOutput } = options;
  await stack.destroy({ color, onOutput });
  step(`stack ${name}: destroyed; its history and configuration stay`);
}

new Command("npm run destroy --")
  .description("Deletes everything that a stack has created in its cluster and registry.")
  .option("--stack <name>", "the stack to destroy", "dev")
  .option("--yes", "needed for a stack that is not on a local cluster")
  .action(destroy)
  .parseAsync()
  .catch(fail);
