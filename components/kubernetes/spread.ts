import type { types } from "@pulumi/kubernetes";

/** Keeps pods with these labels apart, on nodes and in zones, where that is possible: a lost node takes one of them. */
export function spread(
  matchLabels: Record<string, string>,
): types.input.core.v1.TopologySpreadConstraint[] {
  return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels },
  }));
}
