import { Command } from "commander";
import { ensureCluster } from "./cluster";
import { type Interruption, run } from "./interruption";
import { openStack } from "./stack";
import { readState } from "./state";
import { fail, step } from "./terminal";

interface PreviewOptions {
  stack: string;
  expectNoChanges?: boolean;
}

async function preview(
  { stack: name, expectNoChanges }: PreviewOptions,
  interruption: Interruption,
): Promise<void> {
  await ensureCluster(name);
  const open = await openStack({ name }, step);
  const { deployment } = await readState(open);
  if (deployment.pending_operations?.length) {
    step(`stack ${name}: an update was interrupted; npm start finishes it first, a preview cannot`);
  }
  const { stack, options } = open;
  await interruption.guard((signal) =>
    stack.preview({ ...options, signal, diff: true, expectNoChanges }),
  );
}

new Command("npm run preview --")
  .description(
    "Shows what an update of a stack would change, checked by the policy pack; changes nothing.",
  )
  .option("--stack <name>", "the stack to preview", "dev")
  .option("--expect-no-changes", "fail where there is any change")
  .action((options: PreviewOptions) =>
    run("nothing was changed", (interruption) => preview(options, interruption)),
  )
  .parseAsync()
  .catch(fail);
