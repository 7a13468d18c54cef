import { autoscalerOf, autoscalersOf } from "../model/autoscalers";
import { list, nameOf, namespaceOf, recordAt } from "../model/stack";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
} as const;

/** Rules for autoscalers. */
export const SCALING_RULES: readonly Rule[] = [
  {
    ...base,
    name: "autoscaler-bounds",
    description: "An autoscaler has a range of replicas, and a metric.",
    remedy: "Set minReplicas to 1 or more, maxReplicas above it, and metrics.",
    object: (object) => {
      const scaler = autoscalerOf(object);
      if (scaler === undefined) {
        return undefined;
      }
      const { fields, min, max } = scaler;
      return [
        ...(min >= fields.defaultMin && max > min
          ? []
          : [`spec.${fields.max} is not above spec.${fields.min}`]),
        ...(list(recordAt(object.value, "spec")[fields.by]).length > 0
          ? []
          : [`spec.${fields.by} is empty`]),
      ];
    },
  },
  {
    ...base,
    name: "autoscaler-target",
    description: "An autoscaler scales a workload of the same stack.",
    remedy: "Name a Deployment of this stack in scaleTargetRef.",
    inStack: (object, stack) => {
      const target = autoscalerOf(object)?.target;
      return target &&
        !stack
          .of(`${target.kind}`)
          .some((one) => nameOf(one) === target.name && namespaceOf(one) === namespaceOf(object))
        ? "spec.scaleTargetRef names no object of this stack"
        : undefined;
    },
  },
  {
    ...base,
    name: "scaled-replicas",
    description:
      "Only the autoscaler sets the number of replicas; with spec.replicas every update would reset it.",
    remedy: "Remove spec.replicas.",
    inStack: (object, stack) =>
      (recordAt(object.value, "spec").replicas ?? undefined) !== undefined &&
      autoscalersOf(object, stack).length > 0
        ? "spec.replicas is set for a workload with an autoscaler"
        : undefined,
  },
  {
    ...base,
    name: "single-autoscaler",
    description: "A workload has at max one autoscaler, as two would revert each other's changes.",
    remedy: "Remove all autoscalers except one.",
    inStack: (object, stack) =>
      autoscalersOf(object, stack).length > 1
        ? "several autoscalers scale the workload"
        : undefined,
  },
];
