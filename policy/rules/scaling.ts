import type { KubernetesObject } from "../model/resource";
import { list, nameOf, namespaceOf, part, type Stack } from "../model/stack";
import { autoscalersOf } from "../model/workloads";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
} as const;

function isAutoscaler({ kind }: KubernetesObject): boolean {
  return kind === "HorizontalPodAutoscaler";
}

function targetsOf(scaler: KubernetesObject, stack: Stack): KubernetesObject[] {
  const { kind, name } = part(scaler.value, "spec", "scaleTargetRef");
  return stack
    .of(`${kind}`)
    .filter((object) => nameOf(object) === name && namespaceOf(object) === namespaceOf(scaler));
}

/** What autoscalers do. */
export const SCALING_RULES: readonly Rule[] = [
  {
    ...base,
    name: "autoscaler-bounds",
    about: "An autoscaler has room to scale, and something to scale by.",
    remedy: "Set minReplicas to 1 or more, maxReplicas above it, and metrics.",
    object: (object) => {
      const { maxReplicas, metrics, minReplicas } = part(object.value, "spec");
      const least = Number(minReplicas ?? 1);
      return isAutoscaler(object)
        ? [
            ...(least >= 1 && Number(maxReplicas ?? 0) > least
              ? []
              : ["spec.maxReplicas is not above spec.minReplicas"]),
            ...(list(metrics).length > 0 ? [] : ["spec.metrics is empty"]),
          ]
        : undefined;
    },
  },
  {
    ...base,
    name: "autoscaler-target",
    about: "An autoscaler scales a workload of its own stack.",
    remedy: "Name a Deployment of this stack in scaleTargetRef.",
    inStack: (object, stack) =>
      isAutoscaler(object) && targetsOf(object, stack).length === 0
        ? "spec.scaleTargetRef names nothing in this stack"
        : undefined,
  },
  {
    ...base,
    name: "scaled-replicas",
    about:
      "An autoscaler alone owns the number of pods; written in the workload, every update resets it.",
    remedy: "Remove spec.replicas.",
    inStack: (object, stack) =>
      part(object.value, "spec").replicas !== undefined && autoscalersOf(object, stack).length > 0
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
