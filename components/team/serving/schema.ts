import { z } from "zod";
import { checkPods, pod, podSettings } from "../../config/pod";
import { resources } from "../../config/resources";
import { dnsLabel, imageReference, shortLabel } from "../../config/types";
import { type Contradiction, promotionErrors, promotionSchema } from "./promotion";
import { variantsOf } from "./variants";

const replicas = z.int().min(1).max(1000);
const scaleDownSeconds = z
  .int()
  .min(0)
  .max(3600)
  .default(300)
  .describe("Seconds that the load must be lower before pods are removed");
const bounds = { path: ["max"], message: "is below min; increase it, or decrease min" };

const autoscaleSchema = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("requestRate").describe("Autoscaling by requests per second"),
      target: z.number().positive().max(1e6).default(50).describe("Requests per second and pod"),
      min: replicas.default(1).describe("Minimum number of pods"),
      max: replicas.default(20).describe("Maximum number of pods"),
      scaleDownSeconds,
    })
    .refine(({ min, max }) => min <= max, bounds),
  z
    .strictObject({
      kind: z.literal("cpu").describe("Autoscaling by CPU; needs metrics-server"),
      target: z
        .int()
        .min(1)
        .max(100)
        .default(70)
        .describe("Average CPU use, in percent of the request"),
      min: replicas.default(1).describe("Minimum number of pods"),
      max: replicas.default(10).describe("Maximum number of pods"),
      scaleDownSeconds,
    })
    .refine(({ min, max }) => min <= max, bounds),
  z.strictObject({
    kind: z.literal("none").describe("A fixed number of pods"),
    replicas: replicas.default(2).describe("Number of pods"),
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
  memory: "512Mi",
  ephemeralStorage: "512Mi",
});

const variantSchema = z.strictObject({
  name: shortLabel.describe("Name of the variant, and suffix of its objects' names"),
  version: version.optional().describe("Registered version or alias; default: the model's"),
  weight: z
    .int()
    .min(0)
    .max(100)
    .describe("Share of the requests, relative to the weights of the other variants"),
  header: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z][-a-z0-9]{0,62}$/, "must be a lower-case header name, such as x-variant")
        .describe("Header name"),
      value: z
        .string()
        .regex(/^[-\w.]{1,128}$/, "must be letters, digits, dots and dashes, such as candidate")
        .describe("Header value"),
    })
    .optional()
    .describe("Header that sends a request to this variant, regardless of the weights"),
  image: imageReference.optional().describe("Serving image; default: the model's"),
  autoscale: autoscaleSchema.optional().describe("Number of pods; default: the model's"),
  resources: podResources.optional().describe("Resources of one pod; default: the model's"),
  pod: podSettings.optional().describe("Additional settings of its pods; default: the model's"),
});

/** What the container of a model service has already. */
const OWN = {
  paths: ["/tmp", "/app", "/opt/venv"],
  env: [
    "MAX_BATCH_ROWS",
    "MLFLOW_TRACKING_URI",
    "MODEL_NAME",
    "MODEL_VERSION",
    "OPTIMISE",
    "PORT",
    "RUNTIME",
    "STRICT_LIBRARIES",
  ],
};

/** A model service. */
export const modelSchema = z
  .strictObject({
    name: dnsLabel.describe(
      "Registered model; also the name of its Service and the first part of its host name",
    ),
    version: version
      .default("champion")
      .describe("Registered version, or an alias that is resolved when a pod starts"),
    image: imageReference.optional().describe("Serving image of this model; default: the team's"),
    runtime: z
      .enum(["mlflow", "onnx"])
      .default("mlflow")
      .describe("mlflow: as MLflow logged it; onnx: on onnxruntime, from an ONNX file only"),
    optimise: z
      .boolean()
      .default(true)
      .describe("Serve a faster form that training has proved to give the same predictions"),
    strictLibraries: z
      .boolean()
      .default(false)
      .describe("Refuse a model that was logged with other versions of its libraries"),
    autoscale: autoscaleSchema.prefault({ kind: "requestRate" }).describe("Number of pods"),
    resources: podResources.prefault({}).describe("Resources of one pod"),
    rolloutSeconds: z
      .int()
      .min(30)
      .max(3600)
      .default(300)
      .describe("Maximum seconds until a new version is ready"),
    ingress: z
      .boolean()
      .default(true)
      .describe("Serve it outside of the cluster; false: inside only"),
    variants: z
      .array(variantSchema)
      .default([])
      .describe("Versions that share the requests, through the Gateway; default: one, named main"),
    pod,
    batchRows: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe("Maximum number of rows in a request"),
    promotion: promotionSchema
      .optional()
      .describe("Conditions for giving a variant more requests; see `npm run promote`"),
  })
  .superRefine((model, context) => {
    for (const [path, message] of contradictions(model)) {
      context.addIssue({ code: "custom", path, message });
    }
  })
  .superRefine(checkPods(OWN));

type Variant = z.output<typeof variantSchema>;
type Promotion = z.output<typeof promotionSchema>;
type Autoscale = z.output<typeof autoscaleSchema>;

/** Keys of a model that contradict each other. */
function contradictions(model: {
  ingress: boolean;
  autoscale: Autoscale;
  variants: readonly Variant[];
  promotion?: Promotion | undefined;
}): Contradiction[] {
  const { ingress, variants, promotion } = model;
  const found = duplicateVariants(variants);
  if (variants.length > 0 && variants.every(({ weight }) => weight === 0)) {
    found.push([["variants"], "all have the weight 0; set a weight above 0"]);
  }
  if (variants.length > 1 && !ingress) {
    found.push([
      ["ingress"],
      "must be true with more than one variant, as the route splits the requests; set it, or keep one variant",
    ]);
  }
  if (promotion && variants.length < 2) {
    found.push([["promotion"], "needs two variants; add one, or remove it"]);
  }
  const lasting = variantsOf(model).flatMap(({ autoscale }) =>
    autoscale.kind === "none" ? [] : [autoscale.scaleDownSeconds],
  );
  return promotion ? [...found, ...promotionErrors(promotion, lasting)] : found;
}

/** Variants with the name or the header of another one. */
function duplicateVariants(variants: readonly Variant[]): Contradiction[] {
  const names = variants.map(({ name }) => name);
  const headers = variants.map(({ header }) => header && `${header.name}: ${header.value}`);
  return variants.flatMap((_, index) => {
    const found: Contradiction[] = [];
    if (names.indexOf(names[index] ?? "") < index) {
      found.push([["variants", index, "name"], "is already in use; choose another name"]);
    }
    if (headers[index] && headers.indexOf(headers[index]) < index) {
      found.push([["variants", index, "header"], "is already in use; choose another value"]);
    }
    return found;
  });
}

export type ModelConfig = z.output<typeof modelSchema>;
export type AutoscaleConfig = ModelConfig["autoscale"];
