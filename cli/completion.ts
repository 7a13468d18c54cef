import { readdirSync } from "node:fs";
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { ROOT } from "./common/root";

const COMMAND = "completion";
const EXAMPLE = `
Example:
  $ source <(ml-platform completion bash)`;

/** The names of the stacks that have a file in the program's folder. */
function stackNames(): string[] {
  return readdirSync(ROOT).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
}

/** Adds the subcommand `completion`, which prints a shell's script, and the hidden `complete`, which that script calls. */
export function addCompletion(program: Command): void {
  const { commands } = tab(program, { completionCommandName: COMMAND });
  program.commands
    .find((command) => command.name() === COMMAND)
    ?.description("Prints the completion script of a shell")
    .addHelpText("after", EXAMPLE);
  for (const { options } of commands.values()) {
    const stack = options.get("stack");
    if (stack) {
      stack.handler = (suggest) => stackNames().forEach((name) => void suggest(name, ""));
    }
  }
}
