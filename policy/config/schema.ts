import { z } from "zod";
import { parseQuantity } from "../model/quantity";

const bytesOf = (text: string) => parseQuantity(text.slice(0, -1)) ?? 0;

/** A size such as `150MB` or `1.5GB` (powers of ten, as in registries), in bytes. */
const bytes = (most: string) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?(kB|MB|GB)$/, "must be a size such as 150MB or 1.5GB")
    .transform(bytesOf)
    .refine((size) => size <= bytesOf(most), `must be at most ${most}`);

/** Upper bounds of the budgets, above which no image is slim. */
const MOST_SERVING = "1GB";
const MOST_TRAINING = "10GB";

const quantity = z
  .string()
  .refine((text) => (parseQuantity(text) ?? 0) > 0, "must be a Kubernetes quantity above 0")
  .transform((text) => parseQuantity(text) ?? 0);

/** A pattern that does not match everything, which would disable a rule. */
const SPECIFIC = /^[^*]+$|[^*]{3}/;
const pattern = z
  .string()
  .regex(SPECIFIC, "must contain three consecutive characters other than *");

/** `Kind/namespace/name`, each with `*` for any characters; the name of the object or of its resource. */
const objectPattern = z
  .string()
  .regex(
    /^[\w.*-]+\/[\w.*-]*\/[\w.*:-]+$/,
    "must be Kind/namespace/name, with * for any characters",
  )
  .refine((text) => {
    const [kind = "", , name = ""] = text.split("/");
    return SPECIFIC.test(kind) && SPECIFIC.test(name);
  }, "must contain, in Kind and in name, three consecutive characters other than *");

const exemptionSchema = z.strictObject({
  rules: z.array(z.string()).min(1).describe("Names of the rules that do not apply"),
  object: objectPattern.describe("Object that they do not apply to, as Kind/namespace/name"),
  component: z
    .string()
    .regex(/^[^:]+:[^:]+:[^:]+$/, "must be the type of a component, package:module:Name")
    .optional()
    .describe(
      "Type of an ancestor of the object, such as the component or chart that it is in; default: any object",
    ),
  reason: z.string().min(20).describe("Why the object needs the exemption, in a sentence"),
  owner: z.string().min(1).describe("Who is responsible for the exemption"),
  expires: z.iso.date().describe("Last day on which it applies, as YYYY-MM-DD, within a year"),
});

export type Exemption = z.output<typeof exemptionSchema>;

const imagesSchema = z.strictObject({
  registries: z
    .array(pattern)
    .default(["docker.io", "gcr.io", "ghcr.io", "nvcr.io", "quay.io", "registry.k8s.io"])
    .describe("Registries, or registry/path, that images may come from, with * for any characters"),
  plainHttp: z
    .array(pattern)
    .default(["localhost:*", "127.0.0.1:*"])
    .describe("Registries that are contacted over plain HTTP, with * for any characters"),
  budgets: z
    .strictObject({
      serving: bytes(MOST_SERVING).prefault("150MB").describe("For long-running pods"),
      training: bytes(MOST_TRAINING).prefault("1GB").describe("For pods that run to completion"),
      images: z
        .record(pattern, bytes(MOST_TRAINING))
        // The tracking server has a database client and a UI; a team's serving image the libraries of its models.
        .prefault({ "*-serving": "250MB", "*-tracking": "400MB", "*/mlflow": "400MB" })
        .describe(
          "By image repository, with * for any characters, instead of serving and training",
        ),
    })
    .prefault({})
    .describe("Maximum compressed size of an image"),
  timeoutSeconds: z
    .number()
    .positive()
    .max(120)
    .default(10)
    .describe("Timeout of a request to a registry"),
  baseImages: z
    .array(pattern)
    .default(["*-slim*", "*alpine*", "*distroless*", "*chainguard*", "*wolfi*", "scratch"])
    .describe("Allowed base images of built images, with * for any characters"),
});

const resourcesSchema = z.strictObject({
  ceiling: z
    .strictObject({
      cpu: quantity.prefault("32"),
      memory: quantity.prefault("256Gi"),
      "ephemeral-storage": quantity.prefault("200Gi"),
    })
    .prefault({})
    .describe("Maximum limits of a container"),
  ratio: z
    .strictObject({
      cpu: z.number().min(1).default(20),
      memory: z.number().min(1).default(2),
      "ephemeral-storage": z.number().min(1).default(4),
    })
    .prefault({})
    .describe("Maximum ratio of limit to request"),
  gpus: z.int().min(0).default(8).describe("Maximum number of GPUs of a container"),
});

const networkSchema = z.strictObject({
  serviceTypes: z
    .array(z.enum(["NodePort", "LoadBalancer"]))
    .default([])
    .describe("Allowed types of Services in addition to ClusterIP"),
  requireTls: z.boolean().default(true).describe("Whether an Ingress must serve TLS"),
  peers: z
    .array(z.string().min(1))
    .default(["kube-system", "monitoring", "ml-platform", "traefik", "ingress-nginx"])
    .describe("Namespaces that objects of a stack may refer to, in addition to its own"),
});

const storageSchema = z.strictObject({
  classes: z
    .array(z.string())
    .optional()
    .describe("Storage classes that are allowed; default: any, and the cluster's default"),
  largest: quantity.prefault("1Ti").describe("Maximum size of a volume"),
});

const servingSchema = z.strictObject({
  drainSeconds: z
    .number()
    .min(0)
    .default(10)
    .describe(
      "Minimum number of seconds between the end of the preStop hook and the end of the grace period",
    ),
});

/** Policy configuration of one stack; every key has a default. */
export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  levels: z
    .record(z.string(), z.enum(["mandatory", "advisory", "off"]))
    .prefault({})
    .describe("Levels of rules that differ from the default; a mandatory rule cannot be changed"),
  retainData: z
    .boolean()
    .default(true)
    .describe("Whether namespaces, volumes and databases must be protected from deletion"),
  labels: z
    .array(z.string().min(1))
    .min(1)
    .default([
      "app.kubernetes.io/name",
      "app.kubernetes.io/instance",
      "app.kubernetes.io/part-of",
      "ml-platform/owner",
    ])
    .describe("Labels that workloads, Services, volumes and namespaces must have"),
  images: imagesSchema.prefault({}).describe("Registries and sizes of images"),
  resources: resourcesSchema.prefault({}).describe("Resources of a container"),
  network: networkSchema.prefault({}).describe("Network access"),
  storage: storageSchema.prefault({}).describe("Volumes"),
  serving: servingSchema.prefault({}).describe("Pods that a Service selects"),
  exemptions: z
    .array(exemptionSchema)
    .prefault([])
    .describe("Exemptions of objects from rules, for a limited time"),
});

export type Config = z.output<typeof configSchema>;
