import type { Command } from "commander";
import { subcommand } from "./common/options";

export const pulumi: Command = subcommand(
  "pulumi",
  "Runs Pulumi's CLI with the tools of the other commands",
  "pulumi stack history --stack prod",
  "All arguments are passed on to it, --help among them.",
)
  .usage("[arguments of Pulumi's CLI]")
  .argument("[args...]", "arguments of Pulumi's CLI")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args: readonly string[]) => {
    const { runPulumi } = await import("./stack/pulumi");
    await runPulumi(args);
  });
