import { z } from "zod";
import { parseQuantity } from "../kubernetes/quantity";
import { cpu, dnsLabel, imageReference, memory, storage } from "../vocabulary";

/** CPU and memory of one container; see `Resources` in components/kubernetes/resources.ts. */
export function resources(defaults: {
  cpu: string;
  cpuLimit: string;
  memory: string;
  ephemeralStorage: string;
}) {
  return z
    .strictObject({
      cpu: cpu.default(defaults.cpu).describe("CPU it asks for"),
      cpuLimit: cpu.default(defaults.cpuLimit).describe("CPU it may use"),
      memory: memory.default(defaults.memory).describe("Memory it asks for and is held to"),
      ephemeralStorage: storage
        .default(defaults.ephemeralStorage)
        .describe("Space for logs and scratch files"),
      gpus: z.int().min(0).max(16).default(0).describe("Whole GPUs"),
    })
    .refine((r) => parseQuantity(r.cpu) <= parseQuantity(r.cpuLimit), {
      path: ["cpuLimit"],
      message: "is below cpu; raise it, or ask for less",
    })
    .prefault({});
}

const replicas = z.int().min(1).max(1000);
const bounds = { path: ["max"], message: "is below min; raise it, or lower min" };

const autoscaleSchema = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: z.literal("requestRate").describe("By requests per second"),
      target: z.number().positive().max(1e6).default(50).describe("Requests per second and pod"),
      min: replicas.default(1).describe("Fewest pods"),
      max: replicas.default(20).describe("Most pods"),
      scaleDownSeconds: z
        .int()
        .min(0)
        .max(3600)
        .default(300)
        .describe("How long demand must be lower before pods go"),
    })
    .refine(({ min, max }) => min <= max, bounds),
  z
    .strictObject({
      kind: z.literal("cpu").describe("By CPU; needs metrics-server"),
      target: z.int().min(1).max(100).default(70).describe("Percent of the CPU asked for"),
      min: replicas.default(1).describe("Fewest pods"),
      max: replicas.default(10).describe("Most pods"),
      scaleDownSeconds: z
        .int()
        .min(0)
        .max(3600)
        .default(300)
        .describe("How long demand must be lower before pods go"),
    })
    .refine(({ min, max }) => min <= max, bounds),
  z.strictObject({
    kind: z.literal("none").describe("A fixed number"),
    replicas: replicas.default(2).describe("Pods"),
  }),
]);

/** A model that is served. */
export const modelSchema = z.strictObject({
  name: dnsLabel.describe("The registered model, its Service, and the first part of its host name"),
  version: z
    .union([
      z.int().min(1),
      z
        .string()
        .regex(
          /^[a-z][-a-z0-9_]{0,62}$/,
          "must be a version number or an alias, such as 3 or champion",
        ),
    ])
    .default("champion")
    .describe("Registered version by number, or an alias that is resolved when a pod starts"),
  image: imageReference
    .optional()
    .describe("Serving image of this model alone; default: the team's"),
  autoscale: autoscaleSchema
    .prefault({ kind: "requestRate" })
    .describe("What sets the number of pods"),
  resources: resources({
    cpu: "200m",
    cpuLimit: "1",
    memory: "256Mi",
    ephemeralStorage: "64Mi",
  }).describe("Of one pod"),
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
});

/** A training job. */
export const trainingSchema = z.strictObject({
  name: dnsLabel.describe("The job, and the MLflow experiment"),
  model: dnsLabel.describe("The registered model that gets a new version"),
  run: z
    .int()
    .min(1)
    .default(1)
    .describe("Raise it to train again with nothing else changed, for example on new data"),
  alias: z
    .string()
    .regex(/^[a-z][-a-z0-9_]{0,62}$/, "must be an alias, such as champion")
    .default("champion")
    .describe("Alias set on it"),
  sampleData: z
    .boolean()
    .default(false)
    .describe("Put scikit-learn's diabetes data on the volume where there is no training_data.csv"),
  deadlineSeconds: z
    .int()
    .min(60)
    .max(604_800)
    .default(3600)
    .describe("The job is ended after this"),
  retries: z.int().min(0).max(10).default(2).describe("How often a failed pod is replaced"),
  resources: resources({
    cpu: "500m",
    cpuLimit: "2",
    memory: "1Gi",
    ephemeralStorage: "1Gi",
  }).describe("Of the pod"),
});
