import { Command } from "commander";
import { stackOption, subcommand } from "./common/options";
import type { DataOptions } from "./data/command";
import { type Interruption, run } from "./interruption";

const STATE = "a copy that has begun stays incomplete; the same command continues it";

type Commands = typeof import("./data/command");

/** A subcommand of `data`, with the options that all of them have. */
function volumeCommand(name: string, summary: string, details = ""): Command {
  return new Command(name)
    .summary(summary)
    .description(`${summary}. ${details}`.trim())
    .addOption(stackOption("the stack of the team"))
    .option("--volume <name>", "a volume of the team", "data");
}

/** Runs a subcommand until it ends or a signal ends it. */
function during(work: (commands: Commands, interruption: Interruption) => Promise<void>) {
  return run(STATE, async (interruption) => work(await import("./data/command"), interruption));
}

const put = volumeCommand(
  "put",
  "Copies a file to a volume",
  "A file of that name is replaced when the copy is complete.",
)
  .argument("<file>", "the file")
  .argument("[path]", "its path in the volume, or a folder with / at its end; default: its name")
  .action((file: string, path: string | undefined, options: DataOptions) =>
    during((commands, interruption) => commands.put(file, path, options, interruption)),
  );

const get = volumeCommand("get", "Copies a file from a volume")
  .argument("<path>", "its path in the volume")
  .argument("[file]", "where it is copied to; default: its name, in this folder")
  .action((path: string, file: string | undefined, options: DataOptions) =>
    during((commands, interruption) => commands.get(path, file, options, interruption)),
  );

const ls = volumeCommand("ls", "Lists the files in a folder of a volume")
  .argument("[folder]", "its path in the volume; default: the top")
  .action((folder: string | undefined, options: DataOptions) =>
    during((commands, interruption) => commands.ls(folder, options, interruption)),
  );

export const data: Command = subcommand(
  "data",
  "Copies files between this machine and the volumes of a team",
  "data put housing.csv training_data.csv --stack prod",
  "A copy that was interrupted goes on where it ended, and both sides compare SHA-256.",
)
  .addCommand(put)
  .addCommand(get)
  .addCommand(ls);
