import type { z } from "zod";
import { collect } from "../config/features";
import { parseQuantity } from "../kubernetes/quantity";
import type { Demand, TeamFeature } from "./feature";
import { TEAM_FEATURES } from "./features";

/** What a quota limits: cores, bytes of memory and of volumes, whole GPUs, and pods. */
export const QUOTA_KEYS = ["cpu", "memory", "storage", "gpus", "pods"] as const;
export type QuotaKey = (typeof QUOTA_KEYS)[number];

const FEATURES: Readonly<Record<string, TeamFeature<z.ZodType>>> = TEAM_FEATURES;

/**
 * What a team requests when all its pods run at the same time.
 * @param config the settings of its features, by key
 */
export function teamDemand(config: Readonly<Record<string, unknown>>): Record<QuotaKey, number> {
  return total(
    collect(FEATURES, config, (feature, settings) => {
      const demand = feature.demand?.(settings);
      return demand ? [demand] : [];
    }),
  );
}

/** The sum of several demands. */
export function total(demands: readonly Demand[]): Record<QuotaKey, number> {
  const containers = demands.flatMap((demand) => demand.containers ?? []);
  const volumes = demands.flatMap((demand) => demand.volumes ?? []);
  const sum = (of: (container: (typeof containers)[number]) => number) =>
    // Rounded to a thousandth, the smallest unit of a quantity: 0.1 + 0.2 is not more than 300m.
    Math.round(containers.reduce((total, one) => total + of(one) * one.pods, 0) * 1000) / 1000;
  return {
    cpu: sum(({ cpu }) => parseQuantity(cpu)),
    memory: sum(({ memory }) => parseQuantity(memory)),
    gpus: sum(({ gpus }) => gpus),
    pods: sum(() => 1),
    storage: volumes.reduce((total, size) => total + parseQuantity(size), 0),
  };
}
