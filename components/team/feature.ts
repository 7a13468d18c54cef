import type { z } from "zod";
import type { PlatformContract } from "../platform/contract";

/** What a feature takes of a team's quota when all of it runs at once. */
export interface Demand {
  readonly containers?: readonly ContainerDemand[];
  /** Sizes of volumes. */
  readonly volumes?: readonly string[];
}

/** One of a pod's containers, which all pods of a kind have. */
export interface ContainerDemand {
  readonly cpu: string;
  readonly memory: string;
  readonly gpus: number;
  /** Number of pods. */
  readonly pods: number;
}

/** What the rest of the program needs to know of a feature of a team. */
export interface TeamFeature<Schema extends z.ZodType> {
  /** Its key of the configuration. */
  readonly schema: Schema;
  demand?(settings: z.output<Schema>): Demand;
  /**
   * What it needs and the platform does not offer.
   * @returns one line for each, without the team's prefix: `[0].resources.gpus: reason; remedy`
   */
  missing?(settings: z.output<Schema>, platform: PlatformContract): string[];
}

/** A feature, with the type of its schema. */
export function teamFeature<Schema extends z.ZodType>(feature: TeamFeature<Schema>) {
  return feature;
}

/** Whether containers need GPUs and the platform offers none: the message for the key of their resources. */
export function missingGpus(
  key: string,
  containers: readonly { resources: { gpus: number } }[],
  platform: PlatformContract,
): string[] {
  return !platform.gpus && containers.some(({ resources }) => resources.gpus > 0)
    ? [`${key}: the platform offers no GPUs; install platform.devicePlugin, or set gpus to 0`]
    : [];
}
