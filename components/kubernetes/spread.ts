import type { types } from "@pulumi/kubernetes";

/** Spreads pods with these labels over nodes and zones where possible, so that the loss of a node affects few of them. */
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
