import type { Metadata } from "./kubernetes";
import { type KubernetesObject, objectsOf, type Resource } from "./resource";
import { isRecord } from "./shape";

/** The label with the name of a namespace, which the API server sets. */
export const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** The namespaces of the cluster. */
export const RESERVED_NAMESPACES: ReadonlySet<unknown> = new Set([
  "default",
  "kube-node-lease",
  "kube-public",
  "kube-system",
]);

/** All resources of a stack, for rules that need more than one object. */
export interface Stack {
  readonly resources: readonly Resource[];
  readonly objects: readonly KubernetesObject[];
  /** Objects of one kind. */
  of(kind: string): readonly KubernetesObject[];
  /** The namespaces that the stack creates. */
  readonly namespaces: ReadonlySet<string>;
}

/** The stack of these resources. */
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
    // Read lazily: a name that is not known yet affects only rules that use it.
    get namespaces() {
      namespaces ??= new Set(of("Namespace").map(nameOf));
      return namespaces;
    },
  };
}

export function nameOf({ value, resource }: KubernetesObject): string {
  return value.metadata?.name ?? resource.name;
}

/** The namespace of an object, `default` if it has none. */
export function namespaceOf({ value }: KubernetesObject): string {
  return value.metadata?.namespace ?? "default";
}

/** The record at a path in an object; an empty one if there is none. */
export function recordAt(value: unknown, ...path: readonly string[]): Record<string, unknown> {
  const found = path.reduce<unknown>(
    (node, key) => (isRecord(node) ? node[key] : undefined),
    value,
  );
  return isRecord(found) ? found : {};
}

/** The list, or an empty one for any other value. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Whether a label selector with `matchLabels` and `matchExpressions` matches these labels: an empty one
 * matches everything, a missing one nothing.
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
    list(matchExpressions).every((expression) =>
      holds(recordAt({ expression }, "expression"), labels),
    )
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
