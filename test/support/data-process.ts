import { step } from "../../cli/common/terminal";
import { inVolume, putFile } from "../../cli/data/command";
import { run } from "../../cli/interruption";
import { openStack } from "../../cli/stack";

/**
 * Copies a file to the volume of a stack of the tests as the command does, in a process that can be interrupted. Arguments:
 * the folder of the stack, the file, and its path in the volume.
 */
const [workDir = "", file = "", path = ""] = process.argv.slice(2);

run("the same command continues the copy", async (interruption) => {
  const backend = `file://${workDir}/state`;
  const open = await openStack({ name: "e2e", workDir, backend }, step);
  await interruption.guard((signal) => inVolume(open, "data", signal, step, putFile(file, path)));
  step("done");
});
