import type { z } from "zod";
import type { PlatformContract } from "../platform/contract";

/** What a feature uses of a team's quota when all its pods run at the same time. */
export interface Demand {
  readonly containers?: readonly ContainerDemand[];
  /** Sizes of volumes. */
  readonly volumes?: readonly string[];
}

/** A container, and the number of pods that have it. */
export interface ContainerDemand {
  readonly cpu: string;
  readonly memory: string;
  readonly gpus: number;
  /** Number of pods. */
  readonly pods: number;
}

/** What other parts of the program need from a feature of a team. */
export interface TeamFeature<Schema extends z.ZodType> {
  /** Its key of the configuration. */
  readonly schema: Schema;
  demand?(settings: z.output<Schema>): Demand;
  /**
   * The required capabilities that the platform does not offer.
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
