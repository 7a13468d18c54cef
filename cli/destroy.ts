import type { Command } from "commander";
import { stackOption, subcommand } from "./common/options";
import { run } from "./interruption";
import type { DestroyOptions } from "./stack/destroy";

export const destroy: Command = subcommand(
  "destroy",
  "Deletes everything that a stack has created in its cluster and registry",
  "destroy --stack my-cluster --yes",
)
  .addOption(stackOption("the stack to destroy"))
  .option("--yes", "required for a stack that is not on a local cluster", false)
  .action((options: DestroyOptions) =>
    run(
      "the state records what is deleted; npm run destroy deletes the rest, npm start creates it again",
      async (interruption) => {
        const work = await import("./stack/destroy");
        await work.destroyCommand(options, interruption);
      },
    ),
  );
