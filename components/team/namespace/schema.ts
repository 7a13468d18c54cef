import { z } from "zod";
import { cpu, memory, namespaceName, storage } from "../../config/types";
import { ingressSchema } from "../../platform/ingress/schema";

/** Limits of a team's namespace. CPU limits are not among them: requests decide what a node can run. */
export const quotaSchema = z
  .strictObject({
    cpu: cpu.default("16").describe("Sum of the CPU requests of all pods"),
    memory: memory.default("32Gi").describe("Sum of the memory requests of all pods"),
    storage: storage.default("100Gi").describe("Sum of the sizes of all volumes"),
    gpus: z.int().min(0).max(10_000).default(0).describe("Number of GPUs"),
    pods: z.int().min(1).max(10_000).default(100).describe("Number of pods"),
  })
  .prefault({})
  .describe("Limits of the namespace");

/** The settings of a team's namespace. */
export const teamNamespaceSettings = z.object({
  team: namespaceName,
  quota: quotaSchema,
  ingress: ingressSchema,
});
