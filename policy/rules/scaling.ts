import { autoscalerOf, autoscalersOf } from "../model/autoscalers";
import { list, nameOf, namespaceOf, part } from "../model/stack";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
} as const;

/** What autoscalers do. */
export const SCALING_RULES: readonly Rule[] = [
  {
    ...base,
    name: "autoscaler-bounds",
    about: "An autoscaler has room to scale, and something to scale by.",
    remedy: "Set minReplicas to 1 or more, maxReplicas above it, and metrics.",
    object: (object) => {
      const scaler = autoscalerOf(object);
      if (scaler === undefined) {
        return undefined;
      }
      const { fields, least, most } = scaler;
      return [
        ...(least >= fields.defaultLeast && most > least
          ? []
          : [`spec.${fields.most} is not above spec.${fields.least}`]),
        ...(list(part(object.value, "spec")[fields.by]).length > 0
          ? []
          : [`spec.${fields.by} is empty`]),
      ];
    },
  },
  {
    ...base,
    name: "autoscaler-target",
    about: "An autoscaler scales a workload of its own stack.",
    remedy: "Name a Deployment of this stack in scaleTargetRef.",
    inStack: (object, stack) => {
      const target = autoscalerOf(object)?.target;
      return target &&
        !stack
          .of(`${target.kind}`)
          .some((one) => nameOf(one) === target.name && namespaceOf(one) === namespaceOf(object))
        ? "spec.scaleTargetRef names nothing in this stack"
        : undefined;
    },
  },
  {
    ...base,
    name: "scaled-replicas",
    about:
      "An autoscaler alone owns the number of pods; written in the workload, every update resets it.",
    remedy: "Remove spec.replicas.",
    inStack: (object, stack) =>
      (part(object.value, "spec").replicas ?? undefined) !== undefined &&
      autoscalersOf(object, stack).length > 0
        ? "spec.replicas is set beside an autoscaler"
        : undefined,
  },
  {
    ...base,
    name: "single-autoscaler",
    about: "Two autoscalers of one workload undo each other's work.",
    remedy: "Remove all but one.",
    inStack: (object, stack) =>
      autoscalersOf(object, stack).length > 1 ? "several autoscalers scale it" : undefined,
  },
];
