import { z } from "zod";
import { parseQuantity } from "../kubernetes/quantity";
import {
  cpu,
  dnsLabel,
  existingName,
  hostname,
  httpUrl,
  imageReference,
  memory,
  namespaceName,
  port,
  storage,
  text,
} from "../vocabulary";
import { modelSchema } from "./model-schema";
import { demand, QUOTA_KEYS, type QuotaKey, type TeamDemand } from "./quota";
import { resources, trainingSchema } from "./workload-schema";

const storageClass = existingName.optional().describe("Storage class; default: the cluster's");

const trackingSchema = z.strictObject({
  storage: storage
    .default("10Gi")
    .describe("Size of the volume of the SQLite database and the artifacts"),
  storageClass,
  resources: resources({
    cpu: "100m",
    cpuLimit: "1",
    memory: "1Gi",
    ephemeralStorage: "512Mi",
  })
    .prefault({})
    .describe("Of the server"),
  expose: z
    .boolean()
    .default(false)
    .describe("Serve its UI through the Ingress, to everybody who reaches it"),
  postgres: z
    .strictObject({
      host: hostname.describe("Server"),
      port: port.default(5432).describe("Its port"),
      database: z
        .string()
        .regex(/^\w{1,63}$/, "must be letters, digits and underscores, such as mlflow")
        .default("mlflow")
        .describe("Database"),
      user: z
        .string()
        .regex(/^\w{1,63}$/, "must be letters, digits and underscores, such as mlflow")
        .default("mlflow")
        .describe("User"),
    })
    .optional()
    .describe("PostgreSQL for runs and the registry; default: SQLite on the volume"),
  s3: z
    .strictObject({
      bucket: z
        .string()
        .regex(
          /^[a-z0-9][-a-z0-9.]{1,61}[a-z0-9](\/[-\w][-\w.]*)*$/,
          "must be a bucket, with an optional prefix, such as acme-mlflow/fraud",
        )
        .describe("Bucket, and prefix in it"),
      endpoint: httpUrl("https://s3.example.com").optional().describe("Endpoint; default: AWS"),
      region: dnsLabel.optional().describe("Region"),
    })
    .optional()
    .describe("S3 for artifacts; default: the volume"),
});

/** What a team's namespace may hold in all. Limits of CPU are not capped: requests decide what a node can hold. */
const quotaSchema = z.strictObject({
  cpu: cpu.default("16").describe("CPU that all pods together ask for"),
  memory: memory.default("32Gi").describe("Memory that all pods together ask for"),
  storage: storage.default("100Gi").describe("Size of all volumes together"),
  gpus: z.int().min(0).max(10_000).default(0).describe("GPUs"),
  pods: z.int().min(1).max(10_000).default(100).describe("Pods"),
});

/** What each team has. */
export const teamSchema = z
  .strictObject({
    name: namespaceName.describe("The team, and its namespace"),
    viewers: z.array(text).default([]).describe("Groups that may look at everything but secrets"),
    images: z
      .strictObject({
        serving: imageReference.optional().describe("Default: built from the target serving"),
        training: imageReference.optional().describe("Default: built from the target training"),
        tracking: imageReference.optional().describe("Default: built from the target mlflow"),
      })
      .prefault({})
      .describe("Images that were built elsewhere"),
    quota: quotaSchema.prefault({}).describe("What the namespace may hold in all"),
    data: z
      .strictObject({ size: storage.default("10Gi").describe("Its size"), storageClass })
      .prefault({})
      .describe("The volume of training data, ReadWriteOnce, at /app/data"),
    tracking: trackingSchema.prefault({}).describe("The MLflow server"),
    training: z.array(trainingSchema).default([]).describe("Training jobs"),
    models: z.array(modelSchema).default([]).describe("Model services"),
  })
  .superRefine((team, context) => {
    // What is wrong in itself would only be reported once more as a part of the sum.
    const sound = context.issues.length === 0;
    for (const { path, message } of [
      ...twins(team.training, "training"),
      ...twins(team.models, "models"),
      ...overlong(team),
      ...(sound ? excess(team) : []),
    ]) {
      context.addIssue({ code: "custom", path, message });
    }
  });

interface Contradiction {
  path: (string | number)[];
  message: string;
}

/**
 * Names become names of objects, so none may stand twice; `mlflow` is the tracking server's, and each variant of a model
 * has a Service of its own.
 */
function twins(
  list: readonly { name: string; variants?: readonly { name: string }[] }[],
  key: string,
): Contradiction[] {
  const owned = list.map(({ name, variants = [] }) => [
    name,
    ...variants.map((variant) => `${name}-${variant.name}`),
  ]);
  return owned.flatMap((names, index) => {
    const taken = new Set(["mlflow", ...owned.slice(0, index).flat()]);
    return names.some((name) => taken.has(name))
      ? [{ path: [key, index, "name"], message: "is taken; choose another name" }]
      : [];
  });
}

/** A Job's name is a label of its pods, and so has at most 63 characters: `TEAM-train-JOB-` and eight that are random. */
const LONGEST_JOB = 63 - "-train-".length - "-12345678".length;

function overlong({
  name: team,
  training,
}: {
  name: string;
  training: readonly { name: string }[];
}) {
  return training.flatMap(({ name }, index) =>
    team.length + name.length > LONGEST_JOB
      ? [
          {
            path: ["training", index, "name"],
            message: `and the team's name have more than ${LONGEST_JOB} characters together; shorten one of them`,
          },
        ]
      : [],
  );
}

/** What the team asks for beyond its quota: refused here rather than by pods that never start. */
function excess(team: TeamDemand & { quota: Record<QuotaKey, string | number> }): Contradiction[] {
  const asked = demand(team);
  return QUOTA_KEYS.filter((key) => asked[key] > parseQuantity(`${team.quota[key]}`)).map(
    (key) => ({
      path: ["quota", key],
      message:
        `allows ${team.quota[key]}, but the tracking server, all training jobs and all models at their most pods ` +
        `ask for ${shown(key, asked[key])}; raise it, or ask for less`,
    }),
  );
}

/** An amount in the unit that people write it in. */
function shown(key: QuotaKey, amount: number): string {
  return key === "memory" || key === "storage"
    ? `${Math.ceil((amount / 2 ** 30) * 10) / 10}Gi`
    : `${amount}`;
}

export type TeamConfig = z.output<typeof teamSchema>;
export type ModelConfig = TeamConfig["models"][number];
export type TrainingConfig = TeamConfig["training"][number];
export type TrackingConfig = TeamConfig["tracking"];
export type AutoscaleConfig = ModelConfig["autoscale"];
