import { x } from "tinyexec";
import { duration } from "../../toolchain";
import { LabError } from "./identity";

/** Longest time for one command, in milliseconds. Commands end by themselves: this ends one that hangs. */
const COMMAND_TIMEOUT = 600_000;
/** Longest time for one that only looks at something, in milliseconds: it is run again where it says nothing. */
export const LOOK_TIMEOUT = 30_000;

/** What a finished command left. */
export interface Finished {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/**
 * Runs a command to its end and reports how it ended; never throws for a failure of the command. Throws, with the
 * command line, where it has not ended in time.
 */
export async function attempt(
  command: string,
  args: readonly string[],
  timeout = COMMAND_TIMEOUT,
): Promise<Finished> {
  try {
    const result = await x(command, [...args], { timeout });
    return { stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode ?? -1 };
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
    throw new LabError(`"${lineOf(command, args)}" has not ended in ${duration(timeout)}.`);
  }
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
  throw new LabError(`"${lineOf(command, args)}" failed (exit ${exitCode}):\n${words}`);
}

function lineOf(command: string, args: readonly string[]): string {
  return [command, ...args].join(" ");
}
