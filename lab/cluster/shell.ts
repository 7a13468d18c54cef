import { x } from "tinyexec";
import { duration } from "../../toolchain";
import { LabError } from "./identity";

/** Timeout of a command, in milliseconds, for one that hangs. */
const COMMAND_TIMEOUT = 600_000;
/** Timeout of a command that only reads state, in milliseconds: the caller repeats it. */
export const QUERY_TIMEOUT = 30_000;

/** The result of a command. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * Runs a command and returns its result; does not throw if the command fails. Throws, with the command line, if it times
 * out.
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
    if ((error as Error).name !== "AbortError") {
      throw error;
    }
    throw new LabError(`"${lineOf(command, args)}" did not exit within ${duration(timeout)}.`);
  }
}

/** Runs a command and returns its output; throws with the command line and its error output if it fails. */
export async function run(
  command: string,
  args: readonly string[],
  timeout = COMMAND_TIMEOUT,
): Promise<string> {
  const { stdout, stderr, exitCode } = await attempt(command, args, timeout);
  if (exitCode === 0) {
    return stdout;
  }
  const words = (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n");
  throw new LabError(`"${lineOf(command, args)}" failed (exit ${exitCode}):\n${words}`);
}

function lineOf(command: string, args: readonly string[]): string {
  return [command, ...args].join(" ");
}
