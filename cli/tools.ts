import { Command } from "commander";
import { labTools } from "../lab/tools";
import { duration, type Toolbox } from "../toolchain";
import { pulumiTools } from "../toolchain/pulumi";
import { fail } from "./terminal";

const report = (line: string) => void process.stderr.write(`${line}\n`);

/** Provides those tools of a table that are named, or all. */
async function provide<Name extends string>(box: Toolbox<Name>, wanted: readonly string[]) {
  const names = box.names.filter((name) => wanted.length === 0 || wanted.includes(name));
  return [...(await box.ensure(names, report))];
}

async function tools(wanted: readonly string[]): Promise<void> {
  const known: readonly string[] = [...labTools.names, ...pulumiTools.names];
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`No such tool: ${unknown.join(", ")}. There are: ${known.join(", ")}.`);
  }
  const start = Date.now();
  const paths = [...(await provide(labTools, wanted)), ...(await provide(pulumiTools, wanted))];
  for (const [name, path] of paths) process.stdout.write(`${name.padEnd(30)} ${path}\n`);
  report(`${paths.length} tools ready in ${duration(Date.now() - start)}`);
}

new Command("npm run tools --")
  .description("Makes sure of every tool that the lab and Pulumi need, or of those named.")
  .argument("[names...]", "tools, by the names of their executables")
  .action(tools)
  .parseAsync()
  .catch(fail);
