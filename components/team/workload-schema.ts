import { z } from "zod";
import { parseQuantity } from "../kubernetes/quantity";
import { cpu, dnsLabel, memory, storage } from "../vocabulary";

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
    });
}

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
  })
    .prefault({})
    .describe("Of the pod"),
});
