import { setTimeout } from "node:timers/promises";

/**
 * Repeats a function until its result satisfies a condition.
 * @param seconds timeout
 * @throws Error with what was waited for, and the last result
 */
export async function waitFor<T>(
  what: string,
  seconds: number,
  read: () => Promise<T>,
  satisfies: (result: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const result = await read().catch((error: Error) => error);
    if (!(result instanceof Error) && satisfies(result)) {
      return result;
    }
    if (Date.now() > deadline) {
      const last = result instanceof Error ? result.message : JSON.stringify(result).slice(0, 1000);
      throw new Error(`${what}: not within ${seconds} s; last seen: ${last}`);
    }
    await setTimeout(500);
  }
}
