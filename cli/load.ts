import type { Command } from "commander";
import { stackOption, subcommand, whole } from "./common/options";
import { run } from "./interruption";
import type { LoadOptions } from "./stack/load";

export const load: Command = subcommand(
  "load",
  "Sends requests to a stack's first model for some time",
  "load --rate 150 --seconds 120",
  "The autoscaler adds pods where the rate asks for more.",
)
  .addOption(stackOption("the stack whose model is called"))
  .option("--rate <n>", "requests per second", whole(2000), 300)
  .option("--seconds <n>", "duration", whole(600), 60)
  .action((options: LoadOptions) =>
    run("no more requests are sent", async (interruption) => {
      const work = await import("./stack/load");
      await work.load(options, interruption);
    }),
  );
