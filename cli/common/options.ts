import { Command, InvalidArgumentError, Option } from "commander";

/**
 * A subcommand whose help ends with an example.
 * @param summary its line in the list of all subcommands
 * @param details what its own help says beside that
 */
export function subcommand(name: string, summary: string, example: string, details = ""): Command {
  return new Command(name)
    .summary(summary)
    .description(`${summary}. ${details}`.trim())
    .addHelpText("after", `\nExample:\n  $ ml-platform ${example}`);
}

/** The option that names a stack. */
export function stackOption(description: string): Option {
  return new Option("--stack <name>", description).default("dev");
}

/** Reads an option that is a whole number from 1 to `most`. */
export function whole(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) {
      return value;
    }
    throw new InvalidArgumentError(`write a whole number from 1 to ${most}`);
  };
}
