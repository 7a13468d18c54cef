import type { Command } from "commander";
import { subcommand } from "./common/options";

export const schema: Command = subcommand(
  "schema",
  "Writes the files that are generated from the configuration's schema",
  "schema",
  "They are the JSON Schema for editors, and the table of the configuration.",
).action(async () => {
  const { writeGenerated } = await import("./stack/schema");
  writeGenerated();
});
