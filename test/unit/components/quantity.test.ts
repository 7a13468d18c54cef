import fc from "fast-check";
import { expect, test } from "vitest";
import { cpu, duration, memory, seconds, storage } from "../../../components/config/types";
import { parseQuantity } from "../../../components/kubernetes/quantity";

/** The factor of each suffix, in thousandths. */
const THOUSANDTHS = {
  m: 1n,
  "": 1000n,
  k: 1000n ** 2n,
  M: 1000n ** 3n,
  G: 1000n ** 4n,
  T: 1000n ** 5n,
  Ki: 1000n * 1024n,
  Mi: 1000n * 1024n ** 2n,
  Gi: 1000n * 1024n ** 3n,
  Ti: 1000n * 1024n ** 4n,
};

const suffix = fc.constantFrom(...(Object.keys(THOUSANDTHS) as (keyof typeof THOUSANDTHS)[]));

/** A quantity, and its exact value in millionths. */
const quantity = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 6n }), fc.integer({ min: 0, max: 999 }), suffix)
  .map(([whole, decimals, unit]) => ({
    text: `${whole}.${`${decimals}`.padStart(3, "0")}${unit}`,
    exact: (whole * 1000n + BigInt(decimals)) * THOUSANDTHS[unit],
  }));

test("a quantity is parsed with the precision of a double", () => {
  fc.assert(
    fc.property(quantity, ({ text, exact }) => {
      const expected = Number(exact) / 1e6;
      expect(Math.abs(parseQuantity(text) - expected)).toBeLessThanOrEqual(expected * 1e-15);
    }),
  );
});

test.each([
  ["cpu", cpu, 10n ** 3n, 1024n * 10n ** 6n],
  ["memory", memory, 2n ** 20n * 10n ** 6n, 24n * 2n ** 40n * 10n ** 6n],
  ["storage", storage, 2n ** 20n * 10n ** 6n, 64n * 2n ** 40n * 10n ** 6n],
] as const)("%s accepts quantities between its bounds, and no others", (_, schema, least, most) => {
  fc.assert(
    fc.property(quantity, ({ text, exact }) => {
      // On a bound itself a double may round to either side.
      fc.pre(exact !== least && exact !== most);
      expect(schema.safeParse(text).success).toBe(exact > least && exact < most);
    }),
    { numRuns: 500 },
  );
});

test("the bounds themselves are allowed", () => {
  for (const text of ["1m", "0.001", "1024"]) {
    expect(cpu.safeParse(text).success).toBe(true);
  }
  for (const text of ["1Mi", "1024Ki", "24Ti"]) {
    expect(memory.safeParse(text).success).toBe(true);
  }
});

test("a text that is not a Kubernetes quantity is refused, and the message does not repeat it", () => {
  const valid = /^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
  const text = fc.oneof(
    fc.string({ minLength: 4 }),
    fc.tuple(fc.double(), fc.string()).map(([number, unit]) => `${number}${unit}`),
    fc.tuple(quantity, fc.constantFrom(" ", "\n", "i", "-")).map(([{ text }, tail]) => text + tail),
  );
  fc.assert(
    fc.property(text, (text) => {
      fc.pre(!valid.test(text) || text.endsWith("\n"));
      expect(() => parseQuantity(text)).toThrow("not a Kubernetes quantity");
      const { success, error } = memory.safeParse(text);
      expect(success).toBe(false);
      expect(error?.issues.map(({ message }) => message)).toEqual([
        "must be an amount of memory as a Kubernetes quantity, such as 512Mi",
      ]);
    }),
  );
});

test("durations are parsed to seconds, up to ten years", () => {
  const read = (text: string) => seconds(duration.parse(text));
  expect(["20s", "5m", "2h", "15d", "1w", "1y"].map(read)).toEqual([
    20, 300, 7200, 1_296_000, 604_800, 31_536_000,
  ]);
  expect(duration.safeParse("3650d").success).toBe(true);
  for (const text of ["3651d", "11y", "0s", "05m", "1.5h", "5", "m", "5m30s"]) {
    expect(duration.safeParse(text).success, text).toBe(false);
  }
});
