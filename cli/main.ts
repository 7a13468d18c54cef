import { Command } from "commander";
import { fail } from "./common/terminal";
import { addCompletion } from "./completion";
import { data } from "./data";
import { destroy } from "./destroy";
import { lab } from "./lab";
import { load } from "./load";
import { lock } from "./lock";
import { preview } from "./preview";
import { promote } from "./promote";
import { pulumi } from "./pulumi";
import { schema } from "./schema";
import { start } from "./start";
import { tools } from "./tools";

const NOTES = `
"ml-platform help COMMAND" shows a command's options and an example. npm runs the same commands in the
checkout, such as "npm start" and "npm run promote -- OPTIONS"; "npm run images:lock" is "ml-platform lock".`;

/** The command `ml-platform`. Each subcommand loads what it works with when it runs, so that help and completion are fast. */
export const program = new Command("ml-platform")
  .description("Turns a Kubernetes cluster into a machine-learning platform.")
  // Options after `pulumi` are Pulumi's.
  .enablePositionalOptions()
  .addHelpText("after", NOTES);

const commands = [start, preview, load, promote, data, destroy, lock, lab, pulumi, tools, schema];
for (const command of commands) {
  program.addCommand(command);
}
addCompletion(program);

if (require.main === module) {
  program.parseAsync().catch(fail);
}
