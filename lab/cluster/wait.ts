import { setTimeout as delay } from "node:timers/promises";
import { duration } from "../../toolchain";
import { LabError } from "./identity";
import type { Probe } from "./probe";

const MINUTE = 60_000;
/** Interval of probes, in milliseconds. */
const PAUSE = 150;
/** Time in milliseconds after which a wait first reports what it waits for. */
const LONG = MINUTE / 2;

/** Timeouts of a wait, in milliseconds. */
export interface Timeouts {
  /** Time without progress. */
  readonly stall: number;
  /** Time in all, for work that makes progress but never completes. */
  readonly total: number;
}

/** For a component that was just started: a machine without hardware virtualization is ten times slower than a laptop. */
export const START_TIMEOUTS: Timeouts = { stall: 2 * MINUTE, total: 30 * MINUTE };
/** For a component that has run for a while and is not ready. */
export const RECOVERY_TIMEOUTS: Timeouts = { stall: MINUTE / 2, total: 3 * MINUTE };

/** A wait has timed out. */
export class WaitError extends LabError {}

/** One wait. */
export interface Wait extends Timeouts {
  /** Returns a text that changes with the progress of the work; a change of the probe's error also counts as progress. */
  readonly progress?: () => string;
  /** Throws if the probe can no longer succeed. */
  readonly checkFailed?: () => void;
  /** Gets what a long wait waits for: after half a minute, and each time that it has lasted twice as long. */
  readonly report?: (line: string) => void;
  /** Interval of probes, in milliseconds. Default 150. */
  readonly pause?: number;
}

/**
 * Repeats a probe until it succeeds. Slow work may take as long as it makes progress, up to the total timeout.
 *
 * @throws what `checkFailed` throws, or a WaitError with the last error of the probe and the times.
 */
export async function waitFor(probe: Probe, wait: Wait): Promise<void> {
  const begin = performance.now();
  let [changed, last, long] = [begin, "", LONG];
  for (;;) {
    const problem = await problemOf(probe);
    if (problem === undefined) {
      return;
    }
    wait.checkFailed?.();
    const now = performance.now();
    const state = `${wait.progress?.() ?? ""} ${problem}`;
    if (state !== last) {
      [changed, last] = [now, state];
    }
    const stalled = now - changed;
    if (stalled >= wait.stall || now - begin >= wait.total) {
      const times = `waited ${duration(now - begin)}, no progress for ${duration(stalled)}`;
      throw new WaitError(`${problem} (${times})`);
    }
    if (now - begin >= long) {
      wait.report?.(`${problem} (waited ${duration(now - begin)} so far)`);
      long *= 2;
    }
    await delay(wait.pause ?? PAUSE);
  }
}

function problemOf(probe: Probe): Promise<string | undefined> {
  return probe().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/**
 * Waits for several promises. The first failure is reported at once and thrown when the others are settled, so that no
 * work continues in the background.
 */
export async function waitForAll<T extends readonly unknown[]>(
  works: readonly [...{ [K in keyof T]: Promise<T[K]> }],
  report: (line: string) => void,
): Promise<T> {
  let failure: { reason: unknown } | undefined;
  const onFailure = (reason: unknown) => {
    if (failure) {
      return;
    }
    failure = { reason };
    const [line] = (reason instanceof Error ? reason.message : String(reason)).split("\n");
    report(`failed: ${line?.replace(/\.?$/, ".")} Waiting for the work in progress to end.`);
  };
  for (const work of works) {
    work.catch(onFailure);
  }
  const results = await Promise.allSettled(works);
  if (failure) {
    throw failure.reason;
  }
  return results.map((it) => (it.status === "fulfilled" ? it.value : undefined)) as unknown as T;
}
