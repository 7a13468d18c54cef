import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Report } from "../../toolchain";
import { ensurePulumi } from "../../toolchain/pulumi";
import { ROOT } from "../common/root";
import { reasonOf } from "../common/terminal";
import { environment, reportTrouble } from ".";
import { uncheckedLabOf } from "./file";

/** The stack that arguments of Pulumi's CLI name. */
export function stackIn(args: readonly string[]): string | undefined {
  const at = args.findIndex((argument) => argument === "--stack" || argument === "-s");
  return at < 0 ? args.find((one) => one.startsWith("--stack="))?.slice(8) : args[at + 1];
}

/** A stack's lab; none where its file cannot be read, as Pulumi's CLI can do without it. */
function labOfAny(stack: string, report: Report): string | undefined {
  try {
    return uncheckedLabOf(stack);
  } catch (error) {
    report(reasonOf(error));
    return undefined;
  }
}

/** Runs Pulumi's CLI as the commands do: with their tools and, for a stack on a local cluster, its passphrase. */
export async function runPulumi(args: readonly string[]): Promise<void> {
  const report = (line: string) => void process.stderr.write(`${line}\n`);
  const tools = await ensurePulumi(report);
  const stack = stackIn(args);
  const lab = stack === undefined ? undefined : labOfAny(stack, report);
  reportTrouble(lab, report);
  const engine = spawn(tools.command, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, ...environment(tools, lab !== undefined) },
  });
  // The terminal sends it to the engine too, which then ends.
  process.on("SIGINT", () => {});
  // These come to this process alone, and end the engine as well.
  for (const name of ["SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => engine.kill("SIGINT"));
  }
  const [code] = await once(engine, "exit");
  process.exitCode = code ?? 1;
}
