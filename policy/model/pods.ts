import type { ContainerSpec, Metadata, PodSpec } from "./kubernetes";
import { join, type KubernetesObject } from "./resource";
import { isUnknown, knownEntries } from "./unknown";

/** A pod, or the pod template inside any other kind. */
export interface Pod {
  readonly object: KubernetesObject;
  readonly spec: PodSpec;
  readonly metadata: Metadata;
  /** Where its spec stands in the resource, for example `spec.template.spec`. */
  readonly path: string;
}

/** One container of a pod. */
export interface Container {
  readonly pod: Pod;
  readonly spec: ContainerSpec;
  readonly role: "init" | "main" | "ephemeral";
  /** Where it stands in the resource, for example `spec.template.spec.containers[0]`. */
  readonly path: string;
}

const CONTAINER_FIELDS = {
  init: "initContainers",
  main: "containers",
  ephemeral: "ephemeralContainers",
} as const;

/** The roles that a container can have in its pod. */
export const ROLES = Object.keys(CONTAINER_FIELDS) as Container["role"][];

/** Many rules ask for the pods of the same object. */
const found = new WeakMap<KubernetesObject, Pod[]>();

/**
 * Every pod spec in an object, known by its shape (a list of containers) and not by its kind, so
 * that custom resources which carry pod templates are judged like a Deployment.
 */
export function podsOf(object: KubernetesObject): readonly Pod[] {
  const known = found.get(object);
  if (known !== undefined) {
    return known;
  }
  const pods: Pod[] = [];
  found.set(object, pods);
  visit(object.value, object.path, {});

  function visit(node: unknown, path: string, metadata: Metadata): void {
    if (typeof node !== "object" || node === null) {
      return;
    }
    if (isPodSpec(node)) {
      pods.push({ object, spec: node, metadata, path });
    }
    const fields = knownEntries(node);
    const own = fields.find(([key, value]) => key === "metadata" && isRecord(value))?.[1];
    for (const [key, value] of fields) {
      const place = Array.isArray(node) ? `${path}[${key}]` : join(path, key);
      visit(value, place, key === "spec" && own ? own : {});
    }
  }
  return pods;
}

/** The containers of a pod in one role. */
export function containersOf(pod: Pod, role: Container["role"]): Container[] {
  const field = CONTAINER_FIELDS[role];
  return (pod.spec[field] ?? []).map((spec, index) => ({
    pod,
    spec,
    role,
    path: join(pod.path, `${field}[${index}]`),
  }));
}

function isPodSpec(node: object): node is PodSpec {
  return Object.values(CONTAINER_FIELDS).some((field) => {
    if (isUnknown(node, field)) {
      return true;
    }
    const containers: unknown = Reflect.get(node, field);
    return Array.isArray(containers) && knownEntries(containers).some(([, one]) => isRecord(one));
  });
}

/** True for a plain object: neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
