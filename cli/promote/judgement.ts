import type { ModelConfig } from "../../components/team/serving/schema";
import type { Sample } from "./prometheus";

export type Promotion = NonNullable<ModelConfig["promotion"]>;

const QUANTILES: Record<Promotion["metric"], number> = {
  latencyP50: 0.5,
  latencyP95: 0.95,
  latencyP99: 0.99,
};

/** The variant that is judged. */
export interface Candidate {
  readonly team: string;
  readonly model: string;
  readonly variant: string;
}

/** How many requests were answered. */
export interface Answers {
  readonly all: number;
  /** With a status of 400 to 499: either the caller or the model, which refuses valid requests, is at fault. */
  readonly refused: number;
  /** With a status of 500 or more. */
  readonly failed: number;
}

/** What Prometheus knows about some seconds. */
export interface Measurement {
  readonly candidate: Answers;
  /** The model's other variants together. */
  readonly others: Answers;
  /** In seconds: the quantile that the promotion names; NaN where it is not known. */
  readonly latency: number;
  /** Restarts of the candidate's pods, and pods that Prometheus scraped before and cannot scrape now. */
  readonly lostPods: number;
}

/** The PromQL queries over the last seconds. */
export function queries(
  { team, model, variant }: Candidate,
  metric: Promotion["metric"],
  seconds: number,
) {
  const any = `namespace="${team}",service="${model}"`;
  const own = `${any},variant="${variant}"`;
  const over = `[${seconds}s]`;
  return {
    answers: `sum by (variant, code) (increase(inference_requests_total{${any}}${over}))`,
    latency: `histogram_quantile(${QUANTILES[metric]}, sum by (le) (rate(inference_latency_seconds_bucket{${own}}${over})))`,
    restarts: `sum(changes(process_start_time_seconds{${own}}${over}))`,
    gone: `count(max_over_time(up{${own}}${over}) == 1 unless up{${own}} == 1)`,
  };
}

/** Reads the answers to the {@link queries}. A count without a sample is 0: there were no such requests. */
export function measurementOf(
  samples: Record<keyof ReturnType<typeof queries>, readonly Sample[]>,
  variant: string,
): Measurement {
  const first = ([sample]: readonly Sample[]) => sample?.value;
  const own = ({ labels }: Sample) => labels.variant === variant;
  return {
    candidate: counted(samples.answers.filter(own)),
    others: counted(samples.answers.filter((sample) => !own(sample))),
    latency: first(samples.latency) ?? Number.NaN,
    lostPods: (first(samples.restarts) ?? 0) + (first(samples.gone) ?? 0),
  };
}

function counted(samples: readonly Sample[]): Answers {
  const sum = (digit: string) =>
    samples
      .filter(({ labels }) => labels.code?.startsWith(digit))
      .reduce((total, { value }) => total + value, 0);
  return { all: sum(""), refused: sum("4"), failed: sum("5") };
}

/** The share of requests that variants refused; undefined where they have too few answers. */
export function refusedShare(
  { all, refused }: Answers,
  { requests }: Pick<Promotion, "requests">,
): number | undefined {
  return all >= requests ? refused / all : undefined;
}

/** Whether a variant may get more requests, and why. */
export interface Verdict {
  readonly verdict: "passed" | "failed" | "inconclusive";
  readonly reason: string;
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

/**
 * Judges some seconds of a variant. Too few answers are inconclusive, and a missing figure fails the check.
 * @param baseline share of requests that the model's other variants refuse
 */
export function judge(
  { candidate, latency, lostPods }: Measurement,
  { metric, threshold, errorRate, requests }: Promotion,
  baseline: number,
): Verdict {
  const { all, refused, failed } = candidate;
  const judged = all - refused;
  const fail = (reason: string): Verdict => ({ verdict: "failed", reason });
  if (lostPods > 0) {
    return fail(`pods restarted or went away (${Math.ceil(lostPods)} times)`);
  }

  const refusals = `${percent(refused / all)} refused (others: ${percent(baseline)})`;
  if (all >= requests && refused / all > baseline + errorRate) {
    return fail(`${refusals} (errorRate: ${errorRate})`);
  }
  if (!(judged >= requests)) {
    const few = `${Math.round(judged)} answers are too few to judge by (requests: ${requests})`;
    return { verdict: "inconclusive", reason: few };
  }
  const errors = `${percent(failed / judged)} errors of ${Math.round(judged)} answers`;
  if (failed / judged > errorRate) {
    return fail(`${errors} (errorRate: ${errorRate})`);
  }
  const time = `${metric} ${(latency * 1000).toFixed(2)} ms`;
  return latency <= threshold
    ? { verdict: "passed", reason: `${errors}, ${time}, ${refusals}` }
    : fail(`${time} (threshold: ${threshold * 1000} ms)`);
}
