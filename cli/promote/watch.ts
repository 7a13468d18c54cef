import { setTimeout } from "node:timers/promises";
import { SHORTEST_RATE } from "../../components/platform/autoscaling/schema";
import {
  type Candidate,
  judge,
  type Measurement,
  measurementOf,
  type Promotion,
  queries,
  refusedShare,
  type Verdict,
} from "./judgement";
import { ask } from "./prometheus";

/** Judges the last seconds of a variant. */
export type Observer = (seconds: number) => Promise<Verdict>;

/** Waits some seconds, and throws where the signal is aborted before. */
export type Pause = (seconds: number, signal?: AbortSignal) => Promise<void>;

/** Seconds between two checks of a variant. In less time Prometheus has no new samples. */
const CHECK_INTERVAL = SHORTEST_RATE;

export const sleep: Pause = async (seconds, signal) => {
  await setTimeout(seconds * 1000, undefined, { signal });
};

/**
 * Judges a variant by Prometheus. Its refusals are compared with those of the other variants, whose last known share is
 * kept: at the last step the others have no requests.
 * @param url of Prometheus, as this machine reaches it
 * @throws Error where Prometheus does not answer now, as no step could be judged without it
 */
export async function observer(
  url: string,
  candidate: Candidate,
  promotion: Promotion,
): Promise<Observer> {
  const measure = async (seconds: number): Promise<Measurement> => {
    const asked = queries(candidate, promotion.metric, seconds);
    const [answers, latency, restarts, gone] = await Promise.all([
      ask(url, asked.answers),
      ask(url, asked.latency),
      ask(url, asked.restarts),
      ask(url, asked.gone),
    ]);
    return measurementOf({ answers, latency, restarts, gone }, candidate.variant);
  };
  const { others } = await measure(promotion.window);
  // Where nothing is known of the others, they count as refusing nothing.
  let baseline = refusedShare(others, promotion) ?? 0;
  return async (seconds) => {
    const figures = await measure(seconds);
    baseline = refusedShare(figures.others, promotion) ?? baseline;
    return judge(figures, promotion, baseline);
  };
}

/**
 * Checks a variant until the window is over or a check fails, whichever comes first.
 * @param window in seconds
 */
export async function watch(
  observe: Observer,
  window: number,
  pause: (seconds: number) => Promise<void>,
): Promise<{ passed: boolean; reason: string }> {
  for (let elapsed = 0; ; ) {
    const seconds = Math.min(CHECK_INTERVAL, window - elapsed);
    await pause(seconds);
    elapsed += seconds;
    const { verdict, reason } = await observe(elapsed);
    if (verdict === "failed" || elapsed >= window) {
      return { passed: verdict === "passed", reason: `${verdict} after ${elapsed} s: ${reason}` };
    }
  }
}
