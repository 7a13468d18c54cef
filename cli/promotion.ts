import { type Document, isScalar, parseDocument } from "yaml";
import type { ModelConfig } from "../components/team/schema";

export type Promotion = NonNullable<ModelConfig["promotion"]>;
/** Each variant's weight, by its name and in the order of the stack file. */
export type Weights = Record<string, number>;

const QUANTILES: Record<Promotion["metric"], number> = {
  latencyP50: 0.5,
  latencyP95: 0.95,
  latencyP99: 0.99,
};

/** What Prometheus tells of a variant over one window; a figure that it does not have is NaN. */
export interface Measured {
  /** Answers, but for those to bad requests, which are their callers' fault. */
  answers: number;
  /** Share of them with a status of 500 or more. */
  errorRate: number;
  /** Seconds: the quantile that the promotion names. */
  latency: number;
}

/** The PromQL of each figure, for one variant of a team's model. */
export function queries(
  team: string,
  model: string,
  variant: string,
  { metric, window }: Promotion,
): Record<keyof Measured, string> {
  const of = `namespace="${team}",service="${model}",variant="${variant}"`;
  const answers = `sum(increase(inference_requests_total{${of},code!~"4.."}[${window}s]))`;
  const failed = `sum(increase(inference_requests_total{${of},code=~"5.."}[${window}s]))`;
  const buckets = `sum by (le) (rate(inference_latency_seconds_bucket{${of}}[${window}s]))`;
  return {
    answers,
    errorRate: `${failed} / ${answers}`,
    latency: `histogram_quantile(${QUANTILES[metric]}, ${buckets})`,
  };
}

/** Whether a variant may go on, and why. */
export interface Verdict {
  holds: boolean;
  reason: string;
}

/** Judges one window. What is not known is not good: too few answers, or a figure that is missing, do not hold. */
export function judge({ answers, errorRate, latency }: Measured, promotion: Promotion): Verdict {
  const { metric, threshold, requests } = promotion;
  const count = Number.isNaN(answers) ? 0 : Math.round(answers);
  if (count < requests) {
    return {
      holds: false,
      reason: `${count} answers are too few to judge by (requests: ${requests})`,
    };
  }
  const errors = `${(errorRate * 100).toFixed(2)} % errors of ${count} answers`;
  if (!(errorRate <= promotion.errorRate)) {
    return { holds: false, reason: `${errors} (errorRate: ${promotion.errorRate})` };
  }
  const time = `${metric} ${(latency * 1000).toFixed(2)} ms`;
  return latency <= threshold
    ? { holds: true, reason: `${errors}, ${time}` }
    : { holds: false, reason: `${time} (threshold: ${threshold * 1000} ms)` };
}

/**
 * The variant that is to get all requests: the named one or, of two, the one with the smaller weight.
 * @throws Error where there is no such variant, or more than one that it could be
 */
export function candidateOf(weights: Weights, named: string | undefined): string {
  const names = Object.keys(weights);
  if (named !== undefined) {
    if (names.includes(named)) return named;
    throw new Error(`--to ${named}: there is no such variant; there are ${names.join(", ")}`);
  }
  const [first = "", second = ""] = names;
  if (names.length !== 2 || weights[first] === weights[second]) {
    throw new Error(`--to is needed to tell which of ${names.join(", ")} is to be promoted`);
  }
  return (weights[first] ?? 0) < (weights[second] ?? 0) ? first : second;
}

/** The steps that are still ahead of a variant. */
export function stepsAhead(weights: Weights, candidate: string, { steps }: Promotion): number[] {
  const share = (100 * (weights[candidate] ?? 0)) / total(Object.values(weights));
  return steps.filter((step) => step > share);
}

/**
 * Weights in percent: the candidate's, and the rest for the others in proportion to the weights that they have. Whole
 * percents that rounding leaves over go to the first of them.
 */
export function weightsAt(step: number, candidate: string, weights: Weights): Weights {
  const others = Object.entries(weights).filter(([name]) => name !== candidate);
  const sum = total(others.map(([, weight]) => weight));
  const shares = others.map(
    ([name, weight]) => [name, sum && Math.floor(((100 - step) * weight) / sum)] as const,
  );
  const left = 100 - step - total(shares.map(([, share]) => share));
  const [first] = shares.filter(([, share]) => share > 0).concat(shares);
  const given = Object.fromEntries(
    shares.map(([name, share]) => [name, name === first?.[0] ? share + left : share]),
  );
  return Object.fromEntries(
    Object.keys(weights).map((name) => [name, name === candidate ? step : (given[name] ?? 0)]),
  );
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

/**
 * A stack file's text with other weights: nothing but the numbers changes, so that the diff shows just them.
 * @param model index of the model in the file
 */
export function withWeights(text: string, model: number, weights: Weights): string {
  const file: Document = parseDocument(text);
  const path = ["config", "ml-platform:team", "models", model, "variants"];
  const edits = Object.values(weights).map((weight, index) => {
    const node = file.getIn([...path, index, "weight"], true);
    const [start, end] = (isScalar(node) && node.range) || [];
    if (start === undefined || end === undefined) {
      throw new Error(`${path.join(".")}[${index}].weight is not a plain number in the stack file`);
    }
    return { start, end, weight };
  });
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((out, { start, end, weight }) => out.slice(0, start) + weight + out.slice(end), text);
}
