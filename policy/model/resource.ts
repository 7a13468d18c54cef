import type { KubernetesValue } from "./kubernetes";
import { isUnknown, knownEntries, unknownObject } from "./unknown";

/** A Pulumi resource, evaluated alone or as part of its stack. */
export interface Resource {
  /** Pulumi type token, for example `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  readonly urn: string;
  readonly name: string;
  /** Inputs if the resource is evaluated alone, outputs in a stack. Unknown fields throw when read. */
  readonly props: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
}

/** A Kubernetes object of a resource; a `*List` resource has several. */
export interface KubernetesObject {
  readonly apiVersion: string;
  /** The kind of the object: `Deployment` also for a `DeploymentPatch`. */
  readonly kind: string;
  /** Whether the resource changes fields of an object that it does not own (`*Patch`). */
  readonly patch: boolean;
  readonly value: KubernetesValue;
  /** Path in the resource: empty, or `items[2]`. */
  readonly path: string;
  readonly resource: Resource;
}

/** Joins paths in a resource: `("spec", "containers[0]")` gives `spec.containers[0]`. */
export function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(".");
}

/**
 * The types of all ancestors of a resource, the outermost first; empty if it has no parent. The URN lists
 * them before the type of the resource, so that the objects of a chart (`kubernetes:helm.sh/v4:Chart`) are
 * found by the component that the chart is in.
 */
export function ancestorTypes({ urn }: Pick<Resource, "urn">): readonly string[] {
  return urn.split("::")[2]?.split("$").slice(0, -1) ?? [];
}

/** Built-in API groups of Kubernetes. */
const BUILT_IN = /^(v1|(apps|batch|autoscaling|policy|[a-z.]+\.k8s\.io)\/.*)$/;

/** Whether an object has a built-in kind, whose meaning is known. */
export function isBuiltIn({ apiVersion }: KubernetesObject): boolean {
  return BUILT_IN.test(apiVersion);
}

const TOKEN = /^kubernetes:([^:]+):([^:]+)$/;

/** The provider's components and releases, which are not Kubernetes objects. */
const PROVIDER = /^(helm\.sh\/v\d+|yaml(\/v2)?|kustomize(\/v2)?)$/;

/**
 * The Kubernetes objects of a resource: none for other providers and for the provider's components
 * (`kubernetes:helm.sh/v4:Chart`), whose children are resources.
 */
export function objectsOf(resource: Resource): KubernetesObject[] {
  const [, version = "", token = ""] = TOKEN.exec(resource.type) ?? [];
  if (version === "" || PROVIDER.test(version)) {
    return [];
  }
  const value = resource.props as KubernetesValue;
  const apiVersion = version.replace(/^core\//, "");
  const patch = token.endsWith("Patch") && token !== "Patch";
  const kind = patch ? token.slice(0, -"Patch".length) : token;
  const whole = { apiVersion, kind, patch, value, path: "", resource };
  return token.endsWith("List") ? itemsOf(whole) : [whole];
}

/** The objects in a list; the list itself if its name ends in List but it has no items (`IPAllowList`). */
function itemsOf(list: KubernetesObject): KubernetesObject[] {
  const { value, resource } = list;
  const kind = list.kind.slice(0, -"List".length);
  const unclear = (path: string) => unknownObject(path, resource.name);
  if (isUnknown(value, "items")) {
    return [{ ...list, kind, value: unclear("items"), path: "items" }];
  }
  if (!Array.isArray(value.items)) {
    return [list];
  }
  const { items } = value;
  return Object.keys(items).map((index) => {
    const path = `items[${index}]`;
    const item: KubernetesValue = isUnknown(items, index) ? unclear(path) : items[Number(index)];
    const own = Object.fromEntries(knownEntries(item));
    return {
      ...list,
      apiVersion: `${own.apiVersion ?? list.apiVersion}`,
      kind: `${own.kind ?? kind}`,
      value: item,
      path,
    };
  });
}
