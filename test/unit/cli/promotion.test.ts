import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  candidateOf,
  judge,
  type Promotion,
  queries,
  stepsAhead,
  weightsAt,
  withWeights,
} from "../../../cli/promotion";
import { ROOT } from "../../../cli/stack";

const PROMOTION: Promotion = {
  metric: "latencyP99",
  threshold: 0.05,
  errorRate: 0.01,
  requests: 50,
  window: 60,
  steps: [10, 50, 100],
};
const GOOD = { answers: 600.4, errorRate: 0, latency: 0.0012 };

describe("a window is judged", () => {
  test("good where errors and latency hold, with the figures as reasons", () => {
    expect(judge(GOOD, PROMOTION)).toEqual({
      holds: true,
      reason: "0.00 % errors of 600 answers, latencyP99 1.20 ms",
    });
    const borders = { answers: 50, errorRate: 0.01, latency: 0.05 };
    expect(judge(borders, PROMOTION).holds).toBe(true);
  });

  test.each([
    [{ errorRate: 0.02 }, "2.00 % errors of 600 answers (errorRate: 0.01)"],
    [{ latency: 0.2 }, "latencyP99 200.00 ms (threshold: 50 ms)"],
    [{ answers: 49 }, "49 answers are too few to judge by (requests: 50)"],
    // What is not known is not good.
    [{ answers: Number.NaN }, "0 answers are too few to judge by (requests: 50)"],
    [{ errorRate: Number.NaN }, "NaN % errors of 600 answers (errorRate: 0.01)"],
    [{ latency: Number.NaN }, "latencyP99 NaN ms (threshold: 50 ms)"],
    [{ latency: Number.POSITIVE_INFINITY }, "latencyP99 Infinity ms (threshold: 50 ms)"],
    // All of it counts: errors first, as a failing model is often a fast one.
    [{ errorRate: 1, latency: 9 }, "100.00 % errors of 600 answers (errorRate: 0.01)"],
  ])("bad with %j: %s", (figures, reason) => {
    expect(judge({ ...GOOD, ...figures }, PROMOTION)).toEqual({ holds: false, reason });
  });
});

test("Prometheus is asked for one variant of one team's model, over the window", () => {
  const asked = queries("fraud", "cards", "candidate", { ...PROMOTION, metric: "latencyP50" });
  const of = 'namespace="fraud",service="cards",variant="candidate"';
  for (const query of Object.values(asked)) expect(query).toContain(of);
  expect(asked.answers).toBe(`sum(increase(inference_requests_total{${of},code!~"4.."}[60s]))`);
  expect(asked.latency).toMatch(/^histogram_quantile\(0\.5, sum by \(le\) \(rate\(/);
});

describe("the candidate", () => {
  test("is the named variant or, of two, the lighter one", () => {
    expect(candidateOf({ main: 90, next: 10 }, undefined)).toBe("next");
    expect(candidateOf({ main: 0, next: 100 }, undefined)).toBe("main");
    expect(candidateOf({ main: 90, next: 10 }, "main")).toBe("main");
  });

  test.each([
    [{ main: 90, next: 10 }, "nxt", "--to nxt: there is no such variant; there are main, next"],
    [{ main: 50, next: 50 }, undefined, "--to is needed to tell which of main, next"],
    [{ a: 80, b: 10, c: 10 }, undefined, "--to is needed to tell which of a, b, c"],
  ])("of %j cannot be told by %s", (weights, named, says) => {
    expect(() => candidateOf(weights, named)).toThrow(says);
  });

  test("goes through the steps that are ahead of it", () => {
    const ahead = (weights: Record<string, number>) => stepsAhead(weights, "next", PROMOTION);
    expect(ahead({ main: 100, next: 0 })).toEqual([10, 50, 100]);
    expect(ahead({ main: 90, next: 10 })).toEqual([50, 100]);
    expect(ahead({ main: 1, next: 1 })).toEqual([100]);
    expect(ahead({ main: 0, next: 7 })).toEqual([]);
  });
});

describe("weights of a step", () => {
  test("leave the rest to the others, in proportion", () => {
    expect(weightsAt(50, "next", { main: 90, next: 10 })).toEqual({ main: 50, next: 50 });
    expect(weightsAt(50, "c", { a: 60, b: 30, c: 10 })).toEqual({ a: 34, b: 16, c: 50 });
    expect(weightsAt(10, "c", { a: 0, b: 5, c: 0 })).toEqual({ a: 0, b: 90, c: 10 });
    expect(weightsAt(100, "b", { a: 2, b: 0 })).toEqual({ a: 0, b: 100 });
  });

  test("are whole percents that add up, and nobody's is below 0, whatever was before", () => {
    const weights = fc.record({
      a: fc.integer({ min: 1, max: 100 }),
      b: fc.integer({ min: 0, max: 100 }),
      c: fc.integer({ min: 0, max: 100 }),
    });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 100 }), (before, step) => {
        const after = weightsAt(step, "c", before);
        const values = Object.values(after);
        expect(values.reduce((sum, one) => sum + one, 0)).toBe(100);
        expect(values.every((one) => Number.isInteger(one) && one >= 0)).toBe(true);
        expect([after.c, Object.keys(after)]).toEqual([step, ["a", "b", "c"]]);
        // Who had nothing gets nothing.
        if (before.b === 0) expect(after.b).toBe(0);
      }),
    );
  });
});

describe("a stack file", () => {
  const text = readFileSync(join(ROOT, "Pulumi.team.yaml"), "utf8");

  test("gets other weights, and nothing else of it changes", () => {
    const after = withWeights(text, 0, { main: 0, candidate: 100 });
    const lines = (content: string) => content.split("\n");
    const changed = lines(after).filter((line, index) => line !== lines(text)[index]);
    expect(changed.map((line) => line.trim())).toEqual(["weight: 0", "weight: 100"]);
    const [model] = parse(after).config["ml-platform:team"].models;
    expect(model.variants.map(({ weight }: { weight: number }) => weight)).toEqual([0, 100]);
    expect(withWeights(after, 0, { main: 90, candidate: 10 })).toBe(text);
  });

  test("whose weights are not written as numbers is left alone", () => {
    expect(() => withWeights(text, 1, { main: 0 })).toThrow(
      /models\.1\.variants\[0\]\.weight is not/,
    );
  });
});
