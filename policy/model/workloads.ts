import { autoscalersOf } from "./autoscalers";
import type { Pod } from "./parts";
import { podsOf } from "./pods";
import { join, type KubernetesObject } from "./resource";
import { list, nameOf, namespaceOf, part, type Stack, selects } from "./stack";
import { knownField } from "./unknown";
import { walk } from "./walk";

/** The pod template of a controller; undefined for objects without one. */
export function templateOf(object: KubernetesObject): Pod | undefined {
  return podsOf(object).find(({ path }) => path.endsWith("template.spec"));
}

/** Kinds whose pods end, or belong to one node each: no rollout or drain moves them. */
const UNMOVED = /(Job|DaemonSet)$/;

/** Whether a workload of any kind keeps pods of one template running until they are stopped. */
export function isLongRunning(object: KubernetesObject): boolean {
  const pod = UNMOVED.test(object.kind) ? undefined : templateOf(object);
  return (
    pod?.path === join(object.path, "spec.template.spec") &&
    (pod.spec.restartPolicy ?? "Always") === "Always"
  );
}

/** Whether a Service sends requests to a workload's pods. */
export function isServed(object: KubernetesObject, stack: Stack): boolean {
  return servicesOf(object, stack).length > 0;
}

/** Kinds that send requests from outside to a Service: Ingresses, and routes of the Gateway API and others. */
const ENTRANCE = /^Ingress|Route$/;

/** Whether requests from outside reach a workload's pods: through a Service alone, or an Ingress or route to it. */
export function isExposed(object: KubernetesObject, stack: Stack): boolean {
  const services = servicesOf(object, stack);
  if (services.some(({ value }) => OUTSIDE.has(part(value, "spec").type))) {
    return true;
  }
  return (
    services.length > 0 &&
    stack.objects
      .filter(({ kind }) => ENTRANCE.test(kind))
      .filter((entrance) => namespaceOf(entrance) === namespaceOf(object))
      .some(({ value }) => services.some((service) => mentions(value.spec, nameOf(service))))
  );
}

/** Types of Services that have an address outside of the cluster. */
const OUTSIDE: ReadonlySet<unknown> = new Set(["LoadBalancer", "NodePort"]);

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
  let found = false;
  walk(value, "", null, ({ owner, key }) => {
    found ||= knownField(owner, key) === text;
    return found ? undefined : null;
  });
  return found;
}

/** Whether a rollout stops the only pod before it starts the next: nothing keeps such a service up. */
export function isReplaced(object: KubernetesObject, stack: Stack): boolean {
  return part(object.value, "spec", "strategy").type === "Recreate" && mostPods(object, stack) <= 1;
}

/** The most pods that a workload can have; 1 where nothing says otherwise. */
export function mostPods(object: KubernetesObject, stack: Stack): number {
  const scaled = autoscalersOf(object, stack).map(({ most }) => most);
  return Math.max(Number(part(object.value, "spec").replicas ?? 1), ...scaled);
}

/** The fewest pods that a workload can have. */
export function fewestPods(object: KubernetesObject, stack: Stack): number {
  const scaled = autoscalersOf(object, stack).map(({ least }) => least);
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
