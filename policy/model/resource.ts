import type { KubernetesValue } from "./kubernetes";

/** What a rule may know of a Pulumi resource, whether it is judged alone or as part of its stack. */
export interface Resource {
  /** Pulumi type token, for example `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  readonly urn: string;
  readonly name: string;
  /** Inputs when a resource is judged alone, outputs in a stack. Unknown fields throw when read. */
  readonly props: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
}

/** One Kubernetes object of a resource; a `*List` resource has several. */
export interface KubernetesObject {
  readonly apiVersion: string;
  /** The object's own kind: `Deployment` also for a `DeploymentPatch`. */
  readonly kind: string;
  /** True where the resource changes fields of an object that it does not own (`*Patch`). */
  readonly patch: boolean;
  readonly value: KubernetesValue;
  /** Where it stands in the resource: empty, or `items[2]`. */
  readonly path: string;
  readonly resource: Resource;
}

/** Joins two places in a resource: `("spec", "containers[0]")` gives `spec.containers[0]`. */
export function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(".");
}

const TOKEN = /^kubernetes:([^:]+):([^:]+)$/;

/**
 * The Kubernetes objects that a resource stands for: none for other providers and for the
 * provider's own components (`kubernetes:helm.sh/v4:Chart`), whose children are resources of their own.
 */
export function objectsOf(resource: Resource): KubernetesObject[] {
  const [, version = "", token = ""] = TOKEN.exec(resource.type) ?? [];
  if (version === "" || /^(helm\.sh|yaml|kustomize)/.test(version)) {
    return [];
  }
  const value = resource.props as KubernetesValue;
  const apiVersion = version.replace(/^core\//, "");
  if (token.endsWith("List") && Array.isArray(value.items)) {
    return value.items.map((item: KubernetesValue, index) => ({
      apiVersion: item.apiVersion ?? apiVersion,
      kind: item.kind ?? token.slice(0, -"List".length),
      patch: false,
      value: item,
      path: `items[${index}]`,
      resource,
    }));
  }
  const patch = token.endsWith("Patch") && token !== "Patch";
  const kind = patch ? token.slice(0, -"Patch".length) : token;
  return [{ apiVersion, kind, patch, value, path: "", resource }];
}
