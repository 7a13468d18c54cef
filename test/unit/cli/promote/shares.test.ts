import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Promotion } from "../../../../cli/promote/judgement";
import { candidateOf, shareOf, weightSteps, weightsAt } from "../../../../cli/promote/shares";

const PROMOTION = { steps: [10, 50, 100] } as Promotion;

describe("the candidate", () => {
  test("is the given variant or, with two variants, the other one than main", () => {
    expect(candidateOf({ main: 90, next: 10 }, undefined)).toBe("next");
    expect(candidateOf({ next: 50, main: 50 }, undefined)).toBe("next");
    expect(candidateOf({ main: 90, next: 10 }, "main")).toBe("main");
    expect(candidateOf({ a: 80, b: 20 }, "b")).toBe("b");
  });

  test("is the same after it has all requests, so that a second run does not reverse the promotion", () => {
    expect(candidateOf({ main: 0, next: 100 }, undefined)).toBe("next");
  });

  test.each([
    [{ main: 90, next: 10 }, "nxt", "--to nxt: no such variant; there are main, next"],
    [{ a: 90, b: 10 }, undefined, "--to is required to choose one of a, b"],
    [{ main: 80, b: 10, c: 10 }, undefined, "--to is required to choose one of main, b, c"],
  ])("is an error with the weights %j and --to %s: %s", (weights, named, says) => {
    expect(() => candidateOf(weights, named)).toThrow(says);
  });
});

describe("the candidate is checked", () => {
  const watched = (weights: Record<string, number>) =>
    weightSteps(weights, "next", PROMOTION).map(({ main, next }) => `${main}/${next}`);

  test("with the share of every step above its current share", () => {
    expect(watched({ main: 100, next: 0 })).toEqual(["90/10", "50/50", "0/100"]);
  });

  test("with its current share first", () => {
    expect(watched({ main: 90, next: 10 })).toEqual(["90/10", "50/50", "0/100"]);
    expect(watched({ main: 2, next: 1 })).toEqual(["2/1", "50/50", "0/100"]);
    expect(watched({ main: 1, next: 1 })).toEqual(["1/1", "0/100"]);
    const before = { main: 1, next: 1 };
    expect(weightSteps(before, "next", PROMOTION)[0]).toBe(before);
  });

  test("not any more if it has all requests", () => {
    expect(watched({ main: 0, next: 7 })).toEqual([]);
    expect(shareOf({ main: 0, next: 7 }, "next")).toBe(100);
  });
});

describe("the weights of a step", () => {
  test("distribute the rest to the other variants, in proportion to their weights", () => {
    expect(weightsAt(50, "next", { main: 90, next: 10 })).toEqual({ main: 50, next: 50 });
    expect(weightsAt(50, "c", { a: 60, b: 30, c: 10 })).toEqual({ a: 34, b: 16, c: 50 });
    expect(weightsAt(10, "c", { a: 0, b: 5, c: 0 })).toEqual({ a: 0, b: 90, c: 10 });
    expect(weightsAt(100, "b", { a: 2, b: 0 })).toEqual({ a: 0, b: 100 });
  });

  test("are integers of at least 0 with the sum 100, for any previous weights", () => {
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
        // A weight of 0 is not changed.
        if (before.b === 0) {
          expect(after.b).toBe(0);
        }
      }),
    );
  });
});
