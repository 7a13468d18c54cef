import { z } from "zod";

/**
 * The last bound of the model service's latency histogram, in seconds. A slower quantile reads as this bound, so no threshold
 * may reach it.
 */
export const SLOWEST_BUCKET = 2.5;

/** What `npm run promote` holds a variant to. */
export const promotionSchema = z.strictObject({
  metric: z
    .enum(["latencyP50", "latencyP95", "latencyP99"])
    .default("latencyP99")
    .describe("Latency quantile, measured by the model service"),
  threshold: z
    .number()
    .positive()
    .lt(SLOWEST_BUCKET)
    .describe("Maximum of this latency, in seconds"),
  errorRate: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe(
      "Maximum share of responses with a status of 500 or more, and maximum excess of the share of 400 to 499 over the other variants",
    ),
  requests: z
    .int()
    .min(1)
    .max(1e6)
    .default(50)
    .describe("Minimum number of responses in a window; with fewer the promotion is rolled back"),
  window: z.int().min(15).max(86_400).default(60).describe("Seconds that each step is observed"),
  steps: z
    .array(z.int().min(1).max(100))
    .default([10, 50, 100])
    .describe("Percent of the requests in each step; the last is 100"),
});

/** A key of a model that contradicts another, and why. */
export type Contradiction = [path: (string | number)[], message: string];

/**
 * Promotions that could not be finished, or not be rolled back: the pods of the old variant must outlast all steps.
 * @param lasting seconds that autoscaling keeps pods without load, for each variant that it scales
 */
export function promotionErrors(
  { steps, window }: z.output<typeof promotionSchema>,
  lasting: readonly number[],
): Contradiction[] {
  const found: Contradiction[] = [];
  if (steps.at(-1) !== 100 || steps.some((step, index) => step <= (steps[index - 1] ?? 0))) {
    found.push([["promotion", "steps"], "must increase and end with 100, such as [10, 50, 100]"]);
  }
  const seconds = steps.length * window;
  if (lasting.some((own) => own < seconds)) {
    found.push([
      ["promotion", "window"],
      `makes all steps take ${seconds} s, but autoscaling removes pods earlier that a rollback needs; increase autoscale.scaleDownSeconds, or shorten the steps`,
    ]);
  }
  return found;
}
