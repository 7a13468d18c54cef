import { join } from "node:path";
import { step } from "../../cli/common/terminal";
import { run } from "../../cli/interruption";
import { openStack } from "../../cli/stack";
import { destroy } from "../../cli/stack/destroy";
import { update } from "../../cli/stack/start";

/**
 * Updates or destroys a stack of the tests as the commands do, in a process that can be interrupted. Arguments: the folder of
 * the stack, and `update` or `destroy`.
 */
const [workDir = "", what] = process.argv.slice(2);

run("the same command continues from here", async (interruption) => {
  const backend = `file://${join(workDir, "state")}`;
  const open = await openStack({ name: "e2e", workDir, backend }, step);
  if (what === "destroy") {
    await interruption.guard((signal) => destroy(open, signal, step));
  } else {
    await interruption.guard((signal) => update(open, signal, step));
  }
  step("done");
});
