import { labCommands } from "../lab/cli";
import { Interruption } from "./interruption";

/** Prints why a command of the lab failed: its message where the lab explains it, else where in the program it happened. */
async function fail(error: unknown): Promise<void> {
  const [{ LabError }, { ToolError }] = await Promise.all([
    import("../lab/cluster/identity"),
    import("../toolchain"),
  ]);
  const { message, stack } = error as Error;
  const explained = error instanceof LabError || error instanceof ToolError;
  process.stderr.write(`${explained ? message : stack}\n`);
  process.exitCode = 1;
}

export const lab = labCommands((action) =>
  // Both commands continue from the lab's present state; processes that were started keep running.
  new Interruption("lab up continues from here, lab down stops what runs").conclude(action(), fail),
)
  .summary("Starts, stops and shows the local cluster")
  .addHelpText("after", "\nExample:\n  $ ml-platform lab up --name other");
