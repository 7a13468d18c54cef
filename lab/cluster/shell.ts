import { x } from "tinyexec";
import { LabError } from "./identity";

/** Longest time for one short administrative command, in milliseconds. */
const COMMAND_TIMEOUT = 60_000;

/** What a finished command left. */
export interface Finished {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** Runs a command to its end and reports how it ended; never throws for a failure of the command. */
export async function attempt(
  command: string,
  args: readonly string[],
  timeout = COMMAND_TIMEOUT,
): Promise<Finished> {
  const result = await x(command, [...args], { timeout });
  return { stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode ?? -1 };
}

/** Runs a command and returns what it printed; throws with the command line and its last words if it fails. */
export async function run(
  command: string,
  args: readonly string[],
  timeout = COMMAND_TIMEOUT,
): Promise<string> {
  const { stdout, stderr, exitCode } = await attempt(command, args, timeout);
  if (exitCode === 0) return stdout;
  const words = (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n");
  throw new LabError(`"${command} ${args.join(" ")}" failed (exit ${exitCode}):\n${words}`);
}
