import type { Metadata } from "./kubernetes";
import { type KubernetesObject, objectsOf, type Resource } from "./resource";
import { isRecord } from "./shape";

/** The label by which a selector names a namespace: the API server sets it on every one. */
export const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** Namespaces that are nobody's, and the cluster's own. */
export const RESERVED_NAMESPACES: ReadonlySet<unknown> = new Set([
  "default",
  "kube-node-lease",
  "kube-public",
  "kube-system",
]);

/** All resources of a stack, for rules that one object is not enough for. */
export interface Stack {
  readonly resources: readonly Resource[];
  readonly objects: readonly KubernetesObject[];
  /** Objects of one kind. */
  of(kind: string): readonly KubernetesObject[];
  /** The namespaces that the stack itself creates. */
  readonly namespaces: ReadonlySet<string>;
}

/** Puts a stack together from its resources. */
export function stackOf(resources: readonly Resource[]): Stack {
  const objects = resources.flatMap(objectsOf).filter((object) => !object.patch);
  const kinds = new Map<string, KubernetesObject[]>();
  for (const object of objects) {
    kinds.set(object.kind, [...(kinds.get(object.kind) ?? []), object]);
  }
  const of = (kind: string) => kinds.get(kind) ?? [];
  let namespaces: ReadonlySet<string> | undefined;
  return {
    resources,
    objects,
    of,
    // Read when it is asked for: a name that is not known yet is the asking rule's problem.
    get namespaces() {
      namespaces ??= new Set(of("Namespace").map(nameOf));
      return namespaces;
    },
  };
}

export function nameOf({ value, resource }: KubernetesObject): string {
  return value.metadata?.name ?? resource.name;
}

/** The namespace of an object, `default` where none is written. */
export function namespaceOf({ value }: KubernetesObject): string {
  return value.metadata?.namespace ?? "default";
}

/** The part of an object below a key, empty where it is none: rules then find nothing set. */
export function part(value: unknown, ...path: readonly string[]): Record<string, unknown> {
  const found = path.reduce<unknown>(
    (node, key) => (isRecord(node) ? node[key] : undefined),
    value,
  );
  return isRecord(found) ? found : {};
}

/** A list, empty where there is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Whether a label selector with `matchLabels` and `matchExpressions` chooses something with these labels:
 * an empty one everything, an absent one nothing.
 */
export function selects(selector: unknown, labels: Metadata["labels"]): boolean {
  if (!isRecord(selector)) {
    return false;
  }
  const { matchLabels, matchExpressions } = selector;
  return (
    Object.entries(isRecord(matchLabels) ? matchLabels : {}).every(
      ([key, value]) => labels?.[key] === value,
    ) &&
    list(matchExpressions).every((expression) => holds(part({ expression }, "expression"), labels))
  );
}

function holds({ key, operator, values }: Record<string, unknown>, labels: Metadata["labels"]) {
  const value = labels?.[`${key}`];
  switch (operator) {
    case "In":
      return list(values).includes(value);
    case "NotIn":
      return !list(values).includes(value);
    case "Exists":
      return value !== undefined;
    default:
      return value === undefined;
  }
}
