import { Command } from "commander";
import { ensureCluster } from "./cluster";
import { openStack } from "./stack";
import { fail, step } from "./terminal";

interface PreviewOptions {
  stack: string;
  expectNoChanges?: boolean;
}

async function preview({ stack: name, expectNoChanges }: PreviewOptions): Promise<void> {
  await ensureCluster(name);
  const { stack, options } = await openStack({ name }, step);
  await stack.preview({ ...options, diff: true, expectNoChanges });
}

new Command("npm run preview --")
  .description(
    "Shows what an update of a stack would change, checked by the policy pack; changes nothing.",
  )
  .option("--stack <name>", "the stack to preview", "dev")
  .option("--expect-no-changes", "fail where there is any change")
  .action(preview)
  .parseAsync()
  .catch(fail);
