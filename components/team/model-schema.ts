import { z } from "zod";
import { dnsLabel, imageReference, shortLabel } from "../vocabulary";
import { variantsOf } from "./variants";
import { resources } from "./workload-schema";

const replicas = z.int().min(1).max(1000);
const scaleDownSeconds = z
  .int()
  .min(0)
  .max(3600)
  .default(300)
  .describe("How long demand must be lower before pods go");
const bounds = { path: ["max"], message: "is below min; raise it, or lower min" };

const autoscaleSchema = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("requestRate").describe("By requests per second"),
      target: z.number().positive().max(1e6).default(50).describe("Requests per second and pod"),
      min: replicas.default(1).describe("Fewest pods"),
      max: replicas.default(20).describe("Most pods"),
      scaleDownSeconds,
    })
    .refine(({ min, max }) => min <= max, bounds),
  z
    .strictObject({
      kind: z.literal("cpu").describe("By CPU; needs metrics-server"),
      target: z.int().min(1).max(100).default(70).describe("Percent of the CPU asked for"),
      min: replicas.default(1).describe("Fewest pods"),
      max: replicas.default(10).describe("Most pods"),
      scaleDownSeconds,
    })
    .refine(({ min, max }) => min <= max, bounds),
  z.strictObject({
    kind: z.literal("none").describe("A fixed number"),
    replicas: replicas.default(2).describe("Pods"),
  }),
]);

const version = z.union([
  z.int().min(1),
  z
    .string()
    .regex(
      /^[a-z][-a-z0-9_]{0,62}$/,
      "must be a version number or an alias, such as 3 or champion",
    ),
]);

const podResources = resources({
  cpu: "200m",
  cpuLimit: "1",
  memory: "256Mi",
  ephemeralStorage: "64Mi",
});

const variantSchema = z.strictObject({
  name: shortLabel.describe("The variant, and the end of its objects' names"),
  version: version.optional().describe("Registered version or alias; default: the model's"),
  weight: z
    .int()
    .min(0)
    .max(100)
    .describe("Its share of the requests, relative to the other variants' weights"),
  header: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z][-a-z0-9]{0,62}$/, "must be a lower-case header name, such as x-variant")
        .describe("Header"),
      value: z
        .string()
        .regex(/^[-\w.]{1,128}$/, "must be letters, digits, dots and dashes, such as candidate")
        .describe("Its exact value"),
    })
    .optional()
    .describe("Requests with this header go to this variant, whatever the weights"),
  image: imageReference.optional().describe("Serving image; default: the model's"),
  autoscale: autoscaleSchema
    .optional()
    .describe("What sets its number of pods; default: the model's"),
  resources: podResources.optional().describe("Of one of its pods; default: the model's"),
});

/**
 * Seconds: the slowest answers that the model service tells apart, the last bound of its latency's histogram. A quantile
 * beyond it reads as this bound, and so would be below any threshold that is not.
 */
export const SLOWEST_BUCKET = 2.5;

const promotionSchema = z.strictObject({
  metric: z
    .enum(["latencyP50", "latencyP95", "latencyP99"])
    .default("latencyP99")
    .describe("Latency that is held, as the model service measures it"),
  threshold: z.number().positive().lt(SLOWEST_BUCKET).describe("Seconds that it must not exceed"),
  errorRate: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe(
      "Share of answers with a status of 500 or more that is allowed, and of more refusals (400 to 499) than the other variants have",
    ),
  requests: z
    .int()
    .min(1)
    .max(1e6)
    .default(50)
    .describe("Fewest answers to judge by; with fewer at the end of a window it goes back"),
  window: z.int().min(15).max(86_400).default(60).describe("Seconds that each step is watched for"),
  steps: z
    .array(z.int().min(1).max(100))
    .default([10, 50, 100])
    .describe("Percent of the requests, step by step, up to 100"),
});

/** A model that is served. */
export const modelSchema = z
  .strictObject({
    name: dnsLabel.describe(
      "The registered model, its Service, and the first part of its host name",
    ),
    version: version
      .default("champion")
      .describe("Registered version by number, or an alias that is resolved when a pod starts"),
    image: imageReference
      .optional()
      .describe("Serving image of this model alone; default: the team's"),
    autoscale: autoscaleSchema
      .prefault({ kind: "requestRate" })
      .describe("What sets the number of pods"),
    resources: podResources.prefault({}).describe("Of one pod"),
    rolloutSeconds: z
      .int()
      .min(30)
      .max(3600)
      .default(300)
      .describe("How long a new version may take to become ready"),
    ingress: z
      .boolean()
      .default(true)
      .describe("Serve it through the Ingress; else inside the cluster alone"),
    variants: z
      .array(variantSchema)
      .default([])
      .describe(
        "Versions that are served side by side, through the Gateway; default: one, named main",
      ),
    batchRows: z.int().min(1).max(100_000).default(1000).describe("Most rows of one request"),
    promotion: promotionSchema
      .optional()
      .describe("When a variant may get more of the requests; see `npm run promote`"),
  })
  .superRefine((model, context) => {
    for (const [path, message] of contradictions(model)) {
      context.addIssue({ code: "custom", path, message });
    }
  });

type Contradiction = [path: (string | number)[], message: string];
type Variant = z.output<typeof variantSchema>;
type Promotion = z.output<typeof promotionSchema>;
type Autoscale = z.output<typeof autoscaleSchema>;

/** What a model's keys say together that each alone may say. */
function contradictions(model: {
  ingress: boolean;
  autoscale: Autoscale;
  variants: readonly Variant[];
  promotion?: Promotion | undefined;
}): Contradiction[] {
  const { ingress, variants, promotion } = model;
  const found = twins(variants);
  if (variants.length > 0 && variants.every(({ weight }) => weight === 0)) {
    found.push([["variants"], "have no weight at all; give one of them a weight above 0"]);
  }
  if (variants.length > 1 && !ingress) {
    found.push([
      ["ingress"],
      "is what splits requests between variants; leave it on, or leave one variant",
    ]);
  }
  if (promotion && variants.length < 2) {
    found.push([["promotion"], "has nothing to choose from; write two variants, or leave it out"]);
  }
  const scaling = variantsOf(model).map(({ autoscale }) => autoscale);
  return promotion ? [...found, ...impossible(promotion, scaling)] : found;
}

/** Variants that cannot be told apart, by name or by header. */
function twins(variants: readonly Variant[]): Contradiction[] {
  const names = variants.map(({ name }) => name);
  const headers = variants.map(({ header }) => header && `${header.name}: ${header.value}`);
  return variants.flatMap((_, index) => {
    const found: Contradiction[] = [];
    if (names.indexOf(names[index] ?? "") < index) {
      found.push([["variants", index, "name"], "is taken; choose another name"]);
    }
    if (headers[index] && headers.indexOf(headers[index]) < index) {
      found.push([["variants", index, "header"], "is another variant's; choose another value"]);
    }
    return found;
  });
}

/** Promotions that could not go forward, or not back: pods that a variant no longer needs must outlive all steps. */
function impossible({ steps, window }: Promotion, scaling: readonly Autoscale[]): Contradiction[] {
  const found: Contradiction[] = [];
  if (steps.at(-1) !== 100 || steps.some((step, index) => step <= (steps[index - 1] ?? 0))) {
    found.push([
      ["promotion", "steps"],
      "must rise and end with 100; write them like [10, 50, 100]",
    ]);
  }
  const seconds = steps.length * window;
  if (scaling.some((own) => own.kind !== "none" && own.scaleDownSeconds < seconds)) {
    found.push([
      ["promotion", "window"],
      `makes ${seconds} s of all steps, but an autoscaled variant takes its pods away sooner, which the way back needs; raise autoscale.scaleDownSeconds, or shorten the steps`,
    ]);
  }
  return found;
}
