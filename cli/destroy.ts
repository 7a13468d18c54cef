import { Command } from "commander";
import { ensureCluster } from "./cluster";
import { labOf, openStack } from "./stack";
import { fail, step } from "./terminal";

interface DestroyOptions {
  stack: string;
  yes?: boolean;
}

async function destroy({ stack: name, yes }: DestroyOptions): Promise<void> {
  if (!labOf(name) && !yes) {
    throw new Error(
      `stack ${name} is on a cluster of yours: add --yes to destroy it with all its data`,
    );
  }
  await ensureCluster(name);
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
