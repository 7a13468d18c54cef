import { setTimeout as delay } from "node:timers/promises";
import { duration } from "../../toolchain";
import { LabError } from "./identity";
import type { Probe } from "./probe";

const MINUTE = 60_000;
/** Pause between two looks, in milliseconds. */
const PAUSE = 150;
/** Age at which a wait first says what it waits for, in milliseconds. */
const LONG = MINUTE / 2;

/** How long a wait goes on; times in milliseconds. */
export interface Patience {
  /** It ends when nothing has moved for this long. */
  quiet: number;
  /** It ends after this long in any case: against something that moves for ever and gets nowhere. */
  bound: number;
}

/** For what has just been started: a machine without hardware virtualisation is ten times slower than a laptop. */
export const START_PATIENCE: Patience = { quiet: 2 * MINUTE, bound: 30 * MINUTE };
/** For what has run for a while and does not answer. */
export const RECOVERY_PATIENCE: Patience = { quiet: MINUTE / 2, bound: 3 * MINUTE };

/** The end of a wait in which nothing moved any more, or which lasted too long. */
export class WaitError extends LabError {}

/** One wait. */
export interface Wait extends Patience {
  /** A text that changes while the work moves on; the complaint of the last look counts as well. */
  movement?: () => string;
  /** Throws when waiting is in vain. */
  hopeless?: () => void;
  /** Hears what a long wait waits for: after half a minute, and each time that it has lasted twice as long. */
  tell?: (line: string) => void;
  /** Pause between two looks, in milliseconds. Default 150. */
  pause?: number;
}

/**
 * Looks again and again until all is well. Slow work is waited for as long as it moves: the time alone ends nothing
 * before the bound.
 *
 * @throws what `hopeless` throws, or a WaitError with the last complaint, and how long was waited for what.
 */
export async function waitFor(look: Probe, wait: Wait): Promise<void> {
  const begin = performance.now();
  let [moved, last, long] = [begin, "", LONG];
  for (;;) {
    const complaint = await complaintOf(look);
    if (complaint === undefined) return;
    wait.hopeless?.();
    const now = performance.now();
    const sign = `${wait.movement?.() ?? ""} ${complaint}`;
    if (sign !== last) [moved, last] = [now, sign];
    const still = now - moved;
    if (still >= wait.quiet || now - begin >= wait.bound) {
      const times = `waited ${duration(now - begin)}, nothing moved for ${duration(still)}`;
      throw new WaitError(`${complaint} (${times})`);
    }
    if (now - begin >= long) {
      wait.tell?.(`${complaint} (waited ${duration(now - begin)} so far)`);
      long *= 2;
    }
    await delay(wait.pause ?? PAUSE);
  }
}

function complaintOf(look: Probe): Promise<string | undefined> {
  return look().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/**
 * Waits for all of several works. The first failure is told at once and thrown when the others have ended: nothing goes
 * on behind the caller's back.
 */
export async function together<T extends readonly unknown[]>(
  works: readonly [...{ [K in keyof T]: Promise<T[K]> }],
  tell: (line: string) => void,
): Promise<T> {
  let failure: { reason: unknown } | undefined;
  const notice = (reason: unknown) => {
    if (failure) return;
    failure = { reason };
    const [line] = (reason instanceof Error ? reason.message : String(reason)).split("\n");
    tell(`failed: ${line?.replace(/\.?$/, ".")} What is still under way is ended first.`);
  };
  for (const work of works) work.catch(notice);
  const results = await Promise.allSettled(works);
  if (failure) throw failure.reason;
  return results.map((it) => (it.status === "fulfilled" ? it.value : undefined)) as unknown as T;
}
