import { MAIN_VARIANT } from "../../components/team/serving/variants";
import type { Promotion } from "./judgement";

/** The weight of each variant by name, in the order of the stack file. */
export type Weights = Record<string, number>;

/**
 * The variant to promote: the named one or, of two, the one beside `main`. Not the one with the lower weight: a second run
 * would reverse the promotion.
 * @throws Error where there is no such variant, or more than one that it could be
 */
export function candidateOf(weights: Weights, named: string | undefined): string {
  const names = Object.keys(weights);
  if (named !== undefined) {
    if (names.includes(named)) {
      return named;
    }
    throw new Error(`--to ${named}: no such variant; there are ${names.join(", ")}`);
  }
  const [candidate, ...more] = names.filter((name) => name !== MAIN_VARIANT);
  if (candidate !== undefined && more.length === 0) {
    return candidate;
  }
  throw new Error(`--to is required to choose one of ${names.join(", ")}`);
}

/** A variant's share of the requests, in percent. */
export function shareOf(weights: Weights, variant: string): number {
  return (100 * (weights[variant] ?? 0)) / total(Object.values(weights));
}

/**
 * The weights of each step: the present ones, where the candidate has a share already, and those of the steps above its
 * share. None where it has all requests.
 */
export function weightSteps(weights: Weights, candidate: string, { steps }: Promotion): Weights[] {
  const share = shareOf(weights, candidate);
  const higher = steps.filter((step) => step > share);
  const now = share > 0 && higher.length > 0 ? [weights] : [];
  return [...now, ...higher.map((step) => weightsAt(step, candidate, weights))];
}

/**
 * Weights in percent: the candidate's, and the rest for the others in proportion to their weights. What rounding leaves over
 * goes to the first of them.
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

/** Weights as text for messages. */
export function formatWeights(weights: Weights): string {
  return Object.entries(weights)
    .map(([name, weight]) => `${name} ${weight}`)
    .join(", ");
}
