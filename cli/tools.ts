import type { Command } from "commander";
import { subcommand } from "./common/options";

export const tools: Command = subcommand(
  "tools",
  "Installs the tools that the lab and Pulumi need, and prints their paths",
  "tools kubectl pulumi",
)
  .argument("[names...]", "file names of the tools' executables; default: all")
  .action(async (names: readonly string[]) => {
    const { provideTools } = await import("./common/tools");
    await provideTools(names);
  });
