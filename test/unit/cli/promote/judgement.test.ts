import { describe, expect, test } from "vitest";
import {
  judge,
  type Measurement,
  measurementOf,
  type Promotion,
  queries,
  refusedShare,
} from "../../../../cli/promote/judgement";

const PROMOTION: Promotion = {
  metric: "latencyP99",
  threshold: 0.05,
  errorRate: 0.01,
  requests: 50,
  window: 60,
  steps: [10, 50, 100],
};
const answers = (all: number, refused = 0, failed = 0) => ({ all, refused, failed });
const GOOD: Measurement = {
  candidate: answers(600.4),
  others: answers(600),
  latency: 0.0012,
  lostPods: 0,
};

describe("a check of a variant", () => {
  test("passes if all metrics pass, with the metrics as the reason", () => {
    expect(judge(GOOD, PROMOTION, 0)).toEqual({
      verdict: "passed",
      reason: "0.00 % errors of 600 answers, latencyP99 1.20 ms, 0.00 % refused (others: 0.00 %)",
    });
    const borders = { ...GOOD, candidate: answers(100, 1, 0.99), latency: 0.05 };
    expect(judge(borders, PROMOTION, 0).verdict).toBe("passed");
    expect(judge({ ...GOOD, candidate: answers(50) }, PROMOTION, 0).verdict).toBe("passed");
  });

  test.each([
    [{ candidate: answers(600, 0, 12) }, "2.00 % errors of 600 answers (errorRate: 0.01)"],
    [{ latency: 0.2 }, "latencyP99 200.00 ms (threshold: 50 ms)"],
    [{ candidate: answers(600, 300) }, "50.00 % refused (others: 0.00 %) (errorRate: 0.01)"],
    // A high refused share fails the check, also if no other answers are left to judge by.
    [{ candidate: answers(60, 60) }, "100.00 % refused (others: 0.00 %) (errorRate: 0.01)"],
    [{ lostPods: 2 }, "pods restarted or went away (2 times)"],
    // Lost pods fail the check, also with few answers.
    [{ lostPods: 1, candidate: answers(3) }, "pods restarted or went away (1 times)"],
    // A missing metric fails the check.
    [{ latency: Number.NaN }, "latencyP99 NaN ms (threshold: 50 ms)"],
    [{ latency: Number.POSITIVE_INFINITY }, "latencyP99 Infinity ms (threshold: 50 ms)"],
    // Errors are checked first, as a model that fails is often fast.
    [{ candidate: answers(60, 0, 60), latency: 9 }, "100.00 % errors of 60 answers"],
  ])("fails with %j: %s", (figures, reason) => {
    const found = judge({ ...GOOD, ...figures }, PROMOTION, 0);
    expect(found).toEqual({ verdict: "failed", reason: expect.stringContaining(reason) });
  });

  test.each([answers(49), answers(0), answers(Number.NaN), answers(52, 20)])(
    "is inconclusive with %j",
    (candidate) => {
      const { verdict, reason } = judge({ ...GOOD, candidate }, PROMOTION, 0.5);
      expect(verdict).toBe("inconclusive");
      expect(reason).toMatch(/ answers are too few to judge by \(requests: 50\)$/);
    },
  );

  test("allows the refused share of the other variants plus errorRate", () => {
    const refusing = { ...GOOD, candidate: answers(1000, 209) };
    expect(judge(refusing, PROMOTION, 0.2)).toMatchObject({
      verdict: "passed",
      reason: expect.stringContaining("20.90 % refused (others: 20.00 %)"),
    });
    expect(judge(refusing, PROMOTION, 0.19).verdict).toBe("failed");
  });
});

test("the refused share of the other variants is undefined with too few answers", () => {
  expect(refusedShare(answers(200, 50), PROMOTION)).toBe(0.25);
  expect(refusedShare(answers(49, 49), PROMOTION)).toBeUndefined();
});

test("the queries select the model of one team, and the given number of seconds", () => {
  const candidate = { team: "fraud", model: "cards", variant: "next" };
  const asked = queries(candidate, "latencyP50", 20);
  for (const query of Object.values(asked)) {
    expect(query).toContain('namespace="fraud",service="cards"');
    expect(query).toContain("[20s]");
  }
  const own = 'variant="next"';
  expect(asked.answers).toMatch(/^sum by \(variant, code\) \(increase\(inference_requests_total\{/);
  expect(asked.answers).not.toContain(own);
  expect(asked.latency).toMatch(/^histogram_quantile\(0\.5, sum by \(le\) \(rate\(.+next/);
  for (const query of [asked.latency, asked.restarts]) {
    expect(query).toContain(own);
  }
  // Pods that were up and are not up any more.
  expect(asked.gone).toMatch(
    /^count\(max_over_time\(up\{.+next.+ == 1 unless up\{.+next.+ == 1\)$/,
  );
});

test("answers are counted by variant and class of status", () => {
  const sample = (variant: string, code: string, value: number) => ({
    labels: { variant, code },
    value,
  });
  const answered = [
    sample("next", "200", 90),
    sample("next", "400", 4),
    sample("next", "405", 1),
    sample("next", "500", 2),
    sample("next", "503", 3),
    sample("main", "200", 700),
    sample("other", "400", 7),
  ];
  const one = (value: number) => [{ labels: {}, value }];
  const samples = { answers: answered, latency: one(0.2), restarts: one(1), gone: one(2) };
  expect(measurementOf(samples, "next")).toEqual({
    candidate: answers(100, 5, 5),
    others: answers(707, 7),
    latency: 0.2,
    lostPods: 3,
  });
  const none = { answers: [], latency: [], restarts: [], gone: [] };
  expect(measurementOf(none, "next")).toEqual({
    candidate: answers(0),
    others: answers(0),
    latency: Number.NaN,
    lostPods: 0,
  });
});
