import { z } from "zod";
import { parseQuantity } from "../kubernetes/quantity";
import { cpu, memory, storage } from "./types";

/** CPU, memory, scratch space and GPUs of one container. */
export function resources(defaults: {
  cpu: string;
  cpuLimit: string;
  memory: string;
  ephemeralStorage: string;
}) {
  return z
    .strictObject({
      cpu: cpu.default(defaults.cpu).describe("CPU request"),
      cpuLimit: cpu.default(defaults.cpuLimit).describe("CPU limit"),
      memory: memory.default(defaults.memory).describe("Memory request and limit"),
      ephemeralStorage: storage
        .default(defaults.ephemeralStorage)
        .describe("Ephemeral storage, for logs and scratch files: request and limit"),
      gpus: z.int().min(0).max(16).default(0).describe("Number of whole GPUs"),
    })
    .refine((r) => parseQuantity(r.cpu) <= parseQuantity(r.cpuLimit), {
      path: ["cpuLimit"],
      message: "is below cpu; increase it, or decrease cpu",
    });
}
