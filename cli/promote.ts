import type { Command } from "commander";
import { stackOption, subcommand } from "./common/options";
import { Interruption } from "./interruption";
import type { PromoteOptions } from "./promote/command";

/** What a promotion that is interrupted before its first step leaves behind. */
export const NOT_STARTED = "nothing was changed; npm run promote starts again";

const EXIT_CODES = `
Exit code:
  0  the variant gets all requests, or got them already
  1  the variant failed a check, an update failed or a signal came: the weights are those from before
  2  refused: nothing was changed
  3  the rollback failed: the message says what is left to do
  129, 130, 131, 143  a signal came before anything was changed`;

export const promote: Command = subcommand(
  "promote",
  "Gives a variant of a model more of its requests, step by step",
  "promote --stack prod --model card-fraud --to candidate",
  "Prometheus must show that the variant meets the model's `promotion`; else the weights are rolled back.",
)
  .requiredOption("--model <name>", "the model (required)")
  .addOption(stackOption("the stack that serves it"))
  .option("--to <variant>", "the variant; default: of two, the one beside main")
  .option(
    "--prometheus <url>",
    "URL of Prometheus as this machine reaches it; default: the stack's output prometheusUrl",
  )
  .addHelpText("after", EXIT_CODES)
  // A wrong option is a refusal as well.
  .exitOverride(({ exitCode }) => process.exit(exitCode && 2))
  .action(async (options: PromoteOptions) => {
    const interruption = new Interruption(NOT_STARTED);
    const { conclude, run } = await import("./promote/command");
    await conclude(interruption, run(options, interruption));
  });
