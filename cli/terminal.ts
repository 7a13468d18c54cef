import { CommandError } from "@pulumi/pulumi/automation";

/** Prints a line of progress. */
export function step(line: string): void {
  process.stdout.write(`▸ ${line}\n`);
}

/** Prints what went wrong, without the stack trace of a program that works, and ends with exit code 1. */
export function fail(error: unknown): void {
  // An engine's error repeats all of its output, which has been shown while it ran.
  const message =
    error instanceof CommandError
      ? 'Pulumi stopped; the reason stands above, behind "error:".'
      : error instanceof Error
        ? error.message
        : String(error);
  process.stderr.write(`\n✗ ${message}\n`);
  process.exitCode = 1;
}
