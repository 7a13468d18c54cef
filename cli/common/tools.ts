import { labTools } from "../../lab/tools";
import { duration, type Toolbox } from "../../toolchain";
import { pulumiTools } from "../../toolchain/pulumi";

const report = (line: string) => void process.stderr.write(`${line}\n`);

/** Installs the named tools of a toolbox, or all. */
async function provide<Name extends string>(box: Toolbox<Name>, wanted: readonly string[]) {
  const names = box.names.filter((name) => wanted.length === 0 || wanted.includes(name));
  return [...(await box.ensure(names, report))];
}

/**
 * Installs the tools of the lab and of Pulumi, and prints their paths.
 * @param wanted names of tools; without any, all
 * @throws Error naming those that do not exist
 */
export async function provideTools(wanted: readonly string[]): Promise<void> {
  const known: readonly string[] = [...labTools.names, ...pulumiTools.names];
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`Unknown tool: ${unknown.join(", ")}. Tools are: ${known.join(", ")}.`);
  }
  const start = Date.now();
  const paths = [...(await provide(labTools, wanted)), ...(await provide(pulumiTools, wanted))];
  for (const [name, path] of paths) {
    process.stdout.write(`${name.padEnd(30)} ${path}\n`);
  }
  report(`${paths.length} tools ready in ${duration(Date.now() - start)}`);
}
