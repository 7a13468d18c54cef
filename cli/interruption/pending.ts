import { STACK } from "../../components/kubernetes/ownership";
import type { PendingOperation, State, StateResource } from "../stack/state";

/** The Kubernetes object that an interrupted creation was to create. */
export interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Record<string, string>;
  /** The stack in its ownership annotation, where it has one. */
  readonly stack?: string;
  /** Whether Pulumi generated the end of its name, so that no other object has it. */
  readonly autonamed: boolean;
}

/** An object in the cluster. */
export interface Found {
  readonly metadata?: {
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly managedFields?: { manager?: string; operation?: string }[];
  };
}

/** What an interrupted creation was to create: nothing to look up, a Kubernetes object, or something of another provider. */
export type Creation = "nothing" | Target | undefined;

/** The field managers of the Kubernetes provider, by which a stack knows the fields that it has written. */
const FIELD_MANAGER = /^pulumi-kubernetes(-|$)/;

/** What an interrupted creation may have created. */
export function creationOf({ custom, type, inputs = {} }: StateResource): Creation {
  // Only the engine knows a component or a provider. An image is named by its content, and is built again.
  if (!custom || type.startsWith("pulumi:") || type.startsWith("docker-build:")) {
    return "nothing";
  }
  const { apiVersion, kind, metadata } = inputs as Record<string, unknown>;
  const { name, namespace, labels, annotations } = (metadata ?? {}) as Record<string, unknown>;
  if (!type.startsWith("kubernetes:") || type.endsWith("Patch")) {
    return undefined;
  }
  if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") {
    return undefined;
  }
  const texts = (annotations ?? {}) as Record<string, string>;
  const autonamed = texts["pulumi.com/autonamed"] === "true";
  const stack = texts[STACK];
  return {
    apiVersion,
    kind,
    name,
    ...(typeof namespace === "string" && { namespace }),
    labels: (labels ?? {}) as Record<string, string>,
    ...(stack && { stack }),
    autonamed,
  };
}

/** An object's name for messages. */
export function objectName({ kind, namespace, name }: Pick<Target, "kind" | "namespace" | "name">) {
  return `${kind} ${namespace ? `${namespace}/` : ""}${name}`;
}

/** The provider's field manager of an object; undefined where the provider has written no field. */
export function fieldManagerOf({ metadata }: Found): string | undefined {
  return metadata?.managedFields?.find(
    ({ manager = "", operation }) => operation === "Apply" && FIELD_MANAGER.test(manager),
  )?.manager;
}

/**
 * Whether an interrupted creation created the object with its name. An object whose name Pulumi did not generate may have
 * existed before: then the provider has written none of its fields, its labels differ, or it belongs to another stack.
 */
export function isOurs({ autonamed, labels, stack }: Target, found: Found): boolean {
  const { labels: there, annotations } = found.metadata ?? {};
  const same =
    Object.entries(labels).every(([key, value]) => there?.[key] === value) &&
    (!stack || annotations?.[STACK] === stack);
  return autonamed || (same && fieldManagerOf(found) !== undefined);
}

/** An interrupted creation whose object exists. */
export interface Adopted {
  readonly operation: PendingOperation;
  readonly object: Found;
  readonly target: Target;
}

/**
 * A state without interrupted operations that contains the objects that were created. The next update waits until they are
 * ready, and deletes what they replace.
 */
export function withAdopted(state: State, adopted: readonly Adopted[]): State {
  const resources = adopted.reduce(withResource, state.deployment.resources ?? []);
  return { ...state, deployment: { ...state.deployment, resources, pending_operations: [] } };
}

/** Before the resource that it replaces, as dependants of both come after that; else at the end, after all its dependencies. */
function withResource(resources: readonly StateResource[], one: Adopted): StateResource[] {
  const { urn } = one.operation.resource;
  const first = resources.findIndex((resource) => resource.urn === urn);
  const at = first < 0 ? resources.length : first;
  const rest = resources
    .slice(at)
    .filter((resource) => resource.urn !== urn || !resource.pendingReplacement)
    .map((resource) => (resource.urn === urn ? { ...resource, delete: true } : resource));
  return [...resources.slice(0, at), stateOf(one), ...rest];
}

/** As the program declared it; a refresh adds what the API server has set. */
function stateOf({ operation: { resource }, object, target }: Adopted): StateResource {
  const { apiVersion, name } = target;
  const namespace = object.metadata?.namespace;
  const manager = fieldManagerOf(object);
  return {
    ...resource,
    id: namespace ? `${namespace}/${name}` : name,
    outputs: {
      ...resource.inputs,
      __initialApiVersion: apiVersion,
      ...(manager && { __fieldManager: manager }),
    },
    initErrors: ["its creation was interrupted"],
  };
}
