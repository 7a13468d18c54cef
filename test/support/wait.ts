import { setTimeout } from "node:timers/promises";

/**
 * Repeats a function until its result satisfies a condition.
 * @param seconds timeout
 * @throws Error with what was waited for, and the last result
 */
export async function waitFor<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T>,
  satisfies: (answer: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask().catch((error: Error) => error);
    if (!(answer instanceof Error) && satisfies(answer)) {
      return answer;
    }
    if (Date.now() > deadline) {
      const last = answer instanceof Error ? answer.message : JSON.stringify(answer).slice(0, 1000);
      throw new Error(`${what}: not within ${seconds} s; last seen: ${last}`);
    }
    await setTimeout(500);
  }
}
