import { spawn } from "node:child_process";
import { once } from "node:events";
import { ensurePulumi } from "../toolchain/pulumi";
import { environment, labOf, ROOT, reportTrouble } from "./stack";
import { fail } from "./terminal";

/** The stack that arguments of Pulumi's CLI name. */
export function stackIn(args: readonly string[]): string | undefined {
  const at = args.findIndex((argument) => argument === "--stack" || argument === "-s");
  return at < 0 ? args.find((one) => one.startsWith("--stack="))?.slice(8) : args[at + 1];
}

/** Pulumi's CLI as the commands run it: with their tools and, for a stack on a local cluster, its passphrase. */
async function pulumi(args: readonly string[]): Promise<void> {
  const report = (line: string) => void process.stderr.write(`${line}\n`);
  const tools = await ensurePulumi(report);
  const stack = stackIn(args);
  const lab = stack === undefined ? undefined : labOf(stack);
  reportTrouble(lab, report);
  const engine = spawn(tools.command, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, ...environment(tools, lab !== undefined) },
  });
  // The terminal sends it to the engine too, which ends by itself.
  process.on("SIGINT", () => {});
  // These come to this process alone; the engine ends by them as well.
  for (const name of ["SIGTERM", "SIGHUP"] as const) process.on(name, () => engine.kill("SIGINT"));
  const [code] = await once(engine, "exit");
  process.exitCode = code ?? 1;
}

if (require.main === module) pulumi(process.argv.slice(2)).catch(fail);
