import { setTimeout } from "node:timers/promises";
import { SHORTEST_RATE } from "../components/platform/autoscaling/schema";
import {
  type Candidate,
  judge,
  type Measured,
  measured,
  type Promotion,
  queries,
  refusedShare,
  type Verdict,
} from "./judgement";
import { ask } from "./prometheus";

/** Judges the last seconds of a variant. */
export type Observer = (seconds: number) => Promise<Verdict>;

/** Lets some seconds pass, and throws where the signal comes meanwhile. */
export type Pause = (seconds: number, signal?: AbortSignal) => Promise<void>;

/** Seconds between two looks at a variant: the fewest of which Prometheus has something new to tell. */
const LOOK_EVERY = SHORTEST_RATE;

export const byTheClock: Pause = async (seconds, signal) => {
  await setTimeout(seconds * 1000, undefined, { signal });
};

/**
 * What judges a variant by Prometheus. The other variants' refusals, which its own are compared with, are remembered: at
 * the last step the others have no requests.
 * @param url of Prometheus, as it is reached from here
 * @throws Error where it does not answer now, as nobody could judge a step without it
 */
export async function observer(
  url: string,
  candidate: Candidate,
  promotion: Promotion,
): Promise<Observer> {
  const measure = async (seconds: number): Promise<Measured> => {
    const asked = queries(candidate, promotion.metric, seconds);
    const [answers, latency, restarts, gone] = await Promise.all([
      ask(url, asked.answers),
      ask(url, asked.latency),
      ask(url, asked.restarts),
      ask(url, asked.gone),
    ]);
    return measured({ answers, latency, restarts, gone }, candidate.variant);
  };
  const { others } = await measure(promotion.window);
  // Where nothing is known of the others, the candidate has nothing to excuse its refusals by.
  let usual = refusedShare(others, promotion) ?? 0;
  return async (seconds) => {
    const figures = await measure(seconds);
    usual = refusedShare(figures.others, promotion) ?? usual;
    return judge(figures, promotion, usual);
  };
}

/**
 * Looks at a variant until the window is over or it does not hold, whichever comes first.
 * @param window seconds
 */
export async function watch(
  look: Observer,
  window: number,
  pause: (seconds: number) => Promise<void>,
): Promise<{ holds: boolean; reason: string }> {
  for (let passed = 0; ; ) {
    const seconds = Math.min(LOOK_EVERY, window - passed);
    await pause(seconds);
    passed += seconds;
    const { verdict, reason } = await look(passed);
    if (verdict === "does not hold" || passed >= window) {
      return { holds: verdict === "holds", reason: `${verdict} after ${passed} s: ${reason}` };
    }
  }
}
