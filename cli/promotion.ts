import { MAIN_VARIANT } from "../components/team/serving/variants";
import type { Promotion } from "./judgement";

/** Each variant's weight, by its name and in the order of the stack file. */
export type Weights = Record<string, number>;

/**
 * The variant that is to get all requests: the named one or, of two, the one beside `main`. Not the lighter one: a second
 * run would take the promotion back.
 * @throws Error where there is no such variant, or more than one that it could be
 */
export function candidateOf(weights: Weights, named: string | undefined): string {
  const names = Object.keys(weights);
  if (named !== undefined) {
    if (names.includes(named)) return named;
    throw new Error(`--to ${named}: there is no such variant; there are ${names.join(", ")}`);
  }
  const [candidate, ...more] = names.filter((name) => name !== MAIN_VARIANT);
  if (candidate !== undefined && more.length === 0) return candidate;
  throw new Error(`--to is needed to tell which of ${names.join(", ")} is to be promoted`);
}

/** A variant's share of the requests, in percent. */
export function shareOf(weights: Weights, variant: string): number {
  return (100 * (weights[variant] ?? 0)) / total(Object.values(weights));
}

/**
 * What a variant is watched with, one after the other: the weights that it has, where it has a share already, and those of
 * the steps that are ahead of it. None where it has all requests.
 */
export function ladder(weights: Weights, candidate: string, { steps }: Promotion): Weights[] {
  const share = shareOf(weights, candidate);
  const ahead = steps.filter((step) => step > share);
  const now = share > 0 && ahead.length > 0 ? [weights] : [];
  return [...now, ...ahead.map((step) => weightsAt(step, candidate, weights))];
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

/** Weights as people read them. */
export function shown(weights: Weights): string {
  return Object.entries(weights)
    .map(([name, weight]) => `${name} ${weight}`)
    .join(", ");
}
