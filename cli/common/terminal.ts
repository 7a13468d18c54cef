import { stripVTControlCharacters } from "node:util";

/** The names of the Automation API's errors. Their classes are in a library that takes seconds to load. */
const [COMMAND_ERROR, CONCURRENT_UPDATE_ERROR] = ["CommandError", "ConcurrentUpdateError"];

/** Prints a line of progress. */
export function step(line: string): void {
  process.stdout.write(`▸ ${line}\n`);
}

/** Prints what went wrong, without a stack trace, and sets exit code 1. */
export function fail(error: unknown): void {
  process.stderr.write(`\n✗ ${reasonOf(error)}\n`);
  process.exitCode = 1;
}

/** What went wrong. Of an engine's output only the errors. */
export function reasonOf(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === CONCURRENT_UPDATE_ERROR) {
    // All lines: the owner of the lock is below the error.
    const [, locked = message] = /(the stack is currently locked.*|\[409\].*)/s.exec(message) ?? [];
    return `${locked.trim()}\nIf no other command runs, remove the lock: ${unlocking("NAME")}`;
  }
  return name === COMMAND_ERROR ? engineErrors(message) : message;
}

/** The command that removes all locks of a stack, whoever holds them. */
export function unlocking(stack: string): string {
  return `npm run pulumi -- cancel --yes --stack ${stack}`;
}

/** The errors in an engine's output, each once, without colours and without those that follow from others. */
export function engineErrors(output: string): string {
  const errors = stripVTControlCharacters(output)
    .split("\n")
    .filter((line) => /^\s*error: /.test(line));
  const once = [...new Set(errors.map((line) => line.trim()))];
  const causes = once.filter((line) => !line.endsWith("context canceled"));
  return (causes.length > 0 ? causes : once).join("\n  ") || output;
}
