import type { Command } from "commander";
import { stackOption, subcommand } from "./common/options";
import { run } from "./interruption";
import type { PreviewOptions } from "./stack/preview";

export const preview: Command = subcommand(
  "preview",
  "Shows what an update of a stack would change",
  "preview --stack prod --expect-no-changes",
  "The policy pack checks the changes. Nothing is changed.",
)
  .addOption(stackOption("the stack to preview"))
  .option("--expect-no-changes", "fail if there is any change", false)
  .action((options: PreviewOptions) =>
    run("nothing was changed", async (interruption) => {
      const work = await import("./stack/preview");
      await work.preview(options, interruption);
    }),
  );
