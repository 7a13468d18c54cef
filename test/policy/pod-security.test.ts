import { expect, test } from "vitest";
import { type Comparison, compareFixtures, compareRandom } from "../pod-security/compare";
import { KINDS, RULES } from "../pod-security/oracle";

/** The first compilation of the admission controller's module takes a minute. */
const TIMEOUT = 10 * 60_000;
const PODS = 20_000;

/** Names of checks that the comparison did not cover: they never denied, or never allowed, a pod. */
function untried({ tally }: Comparison): string[] {
  return [...tally]
    .filter(([, { bothForbid, bothAllow }]) => bothForbid === 0 || bothAllow === 0)
    .map(([check]) => check);
}

test(
  "agrees with Pod Security admission on its test data, for each check and kind",
  async () => {
    const comparison = await compareFixtures();
    expect(comparison.differences).toEqual([]);
    expect(untried(comparison)).toEqual([]);
    expect(Object.keys(KINDS)).toHaveLength(9);
    expect(comparison.subjects).toBeGreaterThanOrEqual(144 * 9);
  },
  TIMEOUT,
);

test(
  `agrees with Pod Security admission on ${PODS} random pods`,
  async () => {
    const seed = Date.now();
    console.log(`random pods of seed ${seed}`);
    const comparison = await compareRandom(seed, PODS);
    expect(comparison.differences).toEqual([]);
    expect(untried(comparison)).toEqual([]);
    expect(comparison.tally.size).toBe(
      Object.keys(RULES.baseline).length + Object.keys(RULES.restricted).length,
    );
  },
  TIMEOUT,
);
