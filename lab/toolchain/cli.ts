import { duration } from "./cache";
import { ensureTools } from "./index";
import { type ToolName, toolNames } from "./pins";

/** `npx tsx lab/toolchain/cli.ts [names...]`: makes sure of every tool, or of those named. */
async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((name) => !toolNames.some((tool) => tool === name));
  if (unknown.length > 0) {
    throw new Error(`No such tool: ${unknown.join(", ")}. There are: ${toolNames.join(", ")}.`);
  }
  const names = args.length > 0 ? (args as ToolName[]) : toolNames;
  const start = Date.now();
  const paths = await ensureTools(names, console.error);
  for (const [name, path] of paths) console.log(`${name.padEnd(30)} ${path}`);
  console.error(`${paths.size} tools ready in ${duration(Date.now() - start)}`);
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
