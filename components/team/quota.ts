import { parseQuantity } from "../kubernetes/quantity";
import { variantsOf } from "./variants";

/** What a quota bounds: cores, bytes, bytes, whole GPUs, and pods. */
export const QUOTA_KEYS = ["cpu", "memory", "storage", "gpus", "pods"] as const;
export type QuotaKey = (typeof QUOTA_KEYS)[number];

interface Container {
  cpu: string;
  memory: string;
  gpus: number;
}

interface Replicated {
  resources: Container;
  autoscale: { kind: "none"; replicas: number } | { kind: "requestRate" | "cpu"; max: number };
}

/** The part of a team's configuration that decides what it asks for. */
export interface TeamDemand {
  data: { size: string };
  tracking: { storage: string; resources: Container };
  training: readonly { resources: Container }[];
  models: readonly (Replicated & { variants?: readonly Partial<Replicated>[] })[];
}

/**
 * What a team asks for when everything runs at once: the tracking server, every training job, and every variant of a
 * model at its most pods and one more, which a rollout starts before it stops an old one.
 */
export function demand(team: TeamDemand): Record<QuotaKey, number> {
  const containers = [
    { ...team.tracking.resources, pods: 1 },
    ...team.training.map(({ resources }) => ({ ...resources, pods: 1 })),
    ...team.models.flatMap(variantsOf).map(({ resources, autoscale }) => ({
      ...resources,
      pods: (autoscale.kind === "none" ? autoscale.replicas : autoscale.max) + 1,
    })),
  ];
  const sum = (of: (container: (typeof containers)[number]) => number) =>
    // Rounded to a thousandth, the finest step of a quantity: 0.1 + 0.2 is no more than 300m.
    Math.round(containers.reduce((total, one) => total + of(one) * one.pods, 0) * 1000) / 1000;
  return {
    cpu: sum(({ cpu }) => parseQuantity(cpu)),
    memory: sum(({ memory }) => parseQuantity(memory)),
    gpus: sum(({ gpus }) => gpus),
    pods: sum(() => 1),
    storage: parseQuantity(team.data.size) + parseQuantity(team.tracking.storage),
  };
}
