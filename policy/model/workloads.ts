import { autoscalersOf } from "./autoscalers";
import type { Pod } from "./contents";
import { podsOf } from "./pods";
import { join, type KubernetesObject } from "./resource";
import { list, nameOf, namespaceOf, recordAt, type Stack, selects } from "./stack";
import { knownField } from "./unknown";
import { walk } from "./walk";

/** The pod template of a controller; undefined for objects without one. */
export function templateOf(object: KubernetesObject): Pod | undefined {
  return podsOf(object).find(({ path }) => path.endsWith("template.spec"));
}

/** Kinds whose pods run to completion or belong to one node: rollouts and drains do not move them. */
const NOT_RESCHEDULED = /(Job|DaemonSet)$/;

/** Whether a workload of any kind runs long-running pods of one template. */
export function isLongRunning(object: KubernetesObject): boolean {
  const pod = NOT_RESCHEDULED.test(object.kind) ? undefined : templateOf(object);
  return (
    pod?.path === join(object.path, "spec.template.spec") &&
    (pod.spec.restartPolicy ?? "Always") === "Always"
  );
}

/** Whether a Service selects the pods of a workload. */
export function isServed(object: KubernetesObject, stack: Stack): boolean {
  return servicesOf(object, stack).length > 0;
}

/** Kinds that route external requests to a Service: Ingresses, and routes of the Gateway API and others. */
const ROUTING_KINDS = /^Ingress|Route$/;

/** Whether external requests reach the pods of a workload, through a Service, or an Ingress or route to it. */
export function isExposed(object: KubernetesObject, stack: Stack): boolean {
  const services = servicesOf(object, stack);
  if (services.some(({ value }) => OUTSIDE.has(recordAt(value, "spec").type))) {
    return true;
  }
  return (
    services.length > 0 &&
    stack.objects
      .filter(({ kind }) => ROUTING_KINDS.test(kind))
      .filter((entrance) => namespaceOf(entrance) === namespaceOf(object))
      .some(({ value }) => services.some((service) => containsText(value.spec, nameOf(service))))
  );
}

/** Types of Services with an external address. */
const OUTSIDE: ReadonlySet<unknown> = new Set(["LoadBalancer", "NodePort"]);

/**
 * Whether a value contains a string anywhere.
 * @throws UnknownValue if no known field contains it, but an unknown one may
 */
export function containsText(value: unknown, text: string): boolean {
  const found = knownFieldsContain(value, text);
  if (!found) {
    // Reads every field.
    JSON.stringify(value);
  }
  return found;
}

function knownFieldsContain(value: unknown, text: string): boolean {
  let found = false;
  walk(value, "", null, ({ owner, key }) => {
    found ||= knownField(owner, key) === text;
    return found ? undefined : null;
  });
  return found;
}

/** Whether a rollout stops the only pod before it starts the next one, so that the service is interrupted. */
export function isReplaced(object: KubernetesObject, stack: Stack): boolean {
  return (
    recordAt(object.value, "spec", "strategy").type === "Recreate" && maxPods(object, stack) <= 1
  );
}

/** Maximum number of pods of a workload; the default is 1. */
export function maxPods(object: KubernetesObject, stack: Stack): number {
  const scaled = autoscalersOf(object, stack).map(({ max }) => max);
  return Math.max(Number(recordAt(object.value, "spec").replicas ?? 1), ...scaled);
}

/** Minimum number of pods of a workload. */
export function minPods(object: KubernetesObject, stack: Stack): number {
  const scaled = autoscalersOf(object, stack).map(({ min }) => min);
  return scaled.length > 0
    ? Math.min(...scaled)
    : Number(recordAt(object.value, "spec").replicas ?? 1);
}

/** The PodDisruptionBudgets that select the pods of a workload. */
export function budgetsOf(object: KubernetesObject, stack: Stack): KubernetesObject[] {
  const pod = templateOf(object);
  if (pod === undefined) {
    return [];
  }
  return stack
    .of("PodDisruptionBudget")
    .filter((budget) => namespaceOf(budget) === namespaceOf(object))
    .filter((budget) => selects(recordAt(budget.value, "spec").selector, pod.metadata.labels));
}

function servicesOf(object: KubernetesObject, stack: Stack): KubernetesObject[] {
  const labels = templateOf(object)?.metadata.labels ?? {};
  return stack.of("Service").filter((service) => {
    const selector = Object.entries(recordAt(service.value, "spec", "selector"));
    return (
      namespaceOf(service) === namespaceOf(object) &&
      selector.length > 0 &&
      selector.every(([key, value]) => labels[key] === value)
    );
  });
}

/** Whether replicas of a pod are spread by topology constraints or anti-affinity. */
export function isSpread({ spec }: Pod): boolean {
  return list(spec.topologySpreadConstraints).length > 0 || Boolean(spec.affinity?.podAntiAffinity);
}
