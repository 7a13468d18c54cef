import type { Command } from "commander";
import { stackOption, subcommand } from "./common/options";
import { step } from "./common/terminal";

export const lock: Command = subcommand(
  "lock",
  "Writes the lock file of the third-party images",
  "lock --stack my-cluster",
  "It holds the digests that the images' registry has for them now.",
)
  .addOption(stackOption("the stack whose images.mirror and images.lock apply"))
  .option("--image <reference...>", "more images, such as those of a chart; default: none")
  .action(async ({ stack, image: images = [] }: { stack: string; image?: string[] }) => {
    const { lockImages } = await import("./images/lock");
    await lockImages(stack, step, { force: true, images });
  });
