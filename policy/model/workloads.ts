import { type Pod, podsOf } from "./pods";
import type { KubernetesObject } from "./resource";
import { list, nameOf, namespaceOf, part, type Stack, selects } from "./stack";
import { knownEntries } from "./unknown";

/** The pod template of a controller; undefined for objects without one. */
export function templateOf(object: KubernetesObject): Pod | undefined {
  return podsOf(object).find(({ path }) => path.endsWith("template.spec"));
}

/** Whether a workload's pods run until they are stopped. */
export function isLongRunning({ kind }: KubernetesObject): boolean {
  return kind === "Deployment" || kind === "StatefulSet";
}

/** Whether a Service sends requests to a workload's pods. */
export function isServed(object: KubernetesObject, stack: Stack): boolean {
  return servicesOf(object, stack).length > 0;
}

/** Whether requests from outside reach a workload's pods, through a Service and an Ingress or route. */
export function isExposed(object: KubernetesObject, stack: Stack): boolean {
  const names = servicesOf(object, stack).map(nameOf);
  return [...stack.of("Ingress"), ...stack.of("HTTPRoute")]
    .filter((route) => namespaceOf(route) === namespaceOf(object))
    .some((route) => names.some((name) => mentions(route.value.spec, name)));
}

/**
 * Whether a text stands anywhere in a value, as a whole string.
 * @throws UnknownValue where it stands in no known field, but may in an unknown one
 */
export function mentions(value: unknown, text: string): boolean {
  const found = isAmongKnown(value, text);
  if (!found) {
    // Reads every field.
    JSON.stringify(value);
  }
  return found;
}

function isAmongKnown(value: unknown, text: string): boolean {
  return typeof value === "object" && value !== null
    ? knownEntries(value).some(([, item]) => isAmongKnown(item, text))
    : value === text;
}

/** Whether a rollout keeps old pods until new ones are ready. */
export function isRolling({ value }: KubernetesObject): boolean {
  return part(value, "spec", "strategy").type !== "Recreate";
}

/** The autoscalers that own the number of a workload's pods. */
export function autoscalersOf(object: KubernetesObject, stack: Stack): KubernetesObject[] {
  return [...stack.of("HorizontalPodAutoscaler"), ...stack.of("ScaledObject")].filter((scaler) => {
    const target = part(scaler.value, "spec", "scaleTargetRef");
    return (
      namespaceOf(scaler) === namespaceOf(object) &&
      target.name === nameOf(object) &&
      (target.kind ?? "Deployment") === object.kind
    );
  });
}

/** The most pods that a workload can have; 1 where nothing says otherwise. */
export function mostPods(object: KubernetesObject, stack: Stack): number {
  const scaled = autoscalersOf(object, stack).map(({ value }) =>
    Number(part(value, "spec").maxReplicas ?? part(value, "spec").maxReplicaCount ?? 1),
  );
  return Math.max(Number(part(object.value, "spec").replicas ?? 1), ...scaled);
}

/** The fewest pods that a workload can have. */
export function fewestPods(object: KubernetesObject, stack: Stack): number {
  const scaled = autoscalersOf(object, stack).map(({ value }) =>
    Number(part(value, "spec").minReplicas ?? part(value, "spec").minReplicaCount ?? 1),
  );
  return scaled.length > 0 ? Math.min(...scaled) : Number(part(object.value, "spec").replicas ?? 1);
}

/** The disruption budgets that choose a workload's pods. */
export function budgetsOf(object: KubernetesObject, stack: Stack): KubernetesObject[] {
  const pod = templateOf(object);
  if (pod === undefined) {
    return [];
  }
  return stack
    .of("PodDisruptionBudget")
    .filter((budget) => namespaceOf(budget) === namespaceOf(object))
    .filter((budget) => selects(part(budget.value, "spec").selector, pod.metadata.labels));
}

function servicesOf(object: KubernetesObject, stack: Stack): KubernetesObject[] {
  const labels = templateOf(object)?.metadata.labels ?? {};
  return stack.of("Service").filter((service) => {
    const selector = Object.entries(part(service.value, "spec", "selector"));
    return (
      namespaceOf(service) === namespaceOf(object) &&
      selector.length > 0 &&
      selector.every(([key, value]) => labels[key] === value)
    );
  });
}

/** Whether a pod's replicas are kept apart, by constraint or by affinity. */
export function isSpread({ spec }: Pod): boolean {
  return list(spec.topologySpreadConstraints).length > 0 || Boolean(spec.affinity?.podAntiAffinity);
}
