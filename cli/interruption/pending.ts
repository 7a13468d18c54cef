import { STACK } from "../../components/kubernetes/ownership";
import type { PendingOperation, State, StateResource } from "../stack/state";

/** A Kubernetes object, as an interrupted creation names it. */
export interface Sought {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  labels: Record<string, string>;
  /** The stack that it was to be marked as belonging to, where it has a mark. */
  stack?: string;
  /** Whether Pulumi made up the end of its name, so that nobody else's has it. */
  ownName: boolean;
}

/** What the cluster has of an object. */
export interface Found {
  metadata?: {
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: { manager?: string; operation?: string }[];
  };
}

/** An interrupted creation: nothing that lasts, an object of Kubernetes, or what nobody here knows how to look up. */
export type Creation = "nothing" | Sought | undefined;

/** By these the Kubernetes provider of one stack tells what it has written from what others have. */
const FIELD_MANAGER = /^pulumi-kubernetes(-|$)/;

/** What an interrupted creation may have left. */
export function creationOf({ custom, type, inputs = {} }: StateResource): Creation {
  // A component or a provider is only known to the engine; an image is named after what is in it, and is built anew.
  if (!custom || type.startsWith("pulumi:") || type.startsWith("docker-build:")) return "nothing";
  const { apiVersion, kind, metadata } = inputs as Record<string, unknown>;
  const { name, namespace, labels, annotations } = (metadata ?? {}) as Record<string, unknown>;
  if (!type.startsWith("kubernetes:") || type.endsWith("Patch")) return undefined;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") {
    return undefined;
  }
  const marks = (annotations ?? {}) as Record<string, string>;
  const ownName = marks["pulumi.com/autonamed"] === "true";
  const stack = marks[STACK];
  return {
    apiVersion,
    kind,
    name,
    ...(typeof namespace === "string" && { namespace }),
    labels: (labels ?? {}) as Record<string, string>,
    ...(stack && { stack }),
    ownName,
  };
}

/** How people write which object is meant. */
export function shown({ kind, namespace, name }: Pick<Sought, "kind" | "namespace" | "name">) {
  return `${kind} ${namespace ? `${namespace}/` : ""}${name}`;
}

/** The provider's manager of an object's fields; undefined where it has written none. */
export function fieldManagerOf({ metadata }: Found): string | undefined {
  return metadata?.managedFields?.find(
    ({ manager = "", operation }) => operation === "Apply" && FIELD_MANAGER.test(manager),
  )?.manager;
}

/**
 * Whether an object that has the name of an interrupted creation is that creation's. One whose name was given to it may
 * have been there before: then the provider has written none of its fields, its labels are not the creation's, or another
 * stack has marked it.
 */
export function isOurs({ ownName, labels, stack }: Sought, found: Found): boolean {
  const { labels: there, annotations } = found.metadata ?? {};
  const same =
    Object.entries(labels).every(([key, value]) => there?.[key] === value) &&
    (!stack || annotations?.[STACK] === stack);
  return ownName || (same && fieldManagerOf(found) !== undefined);
}

/** An interrupted creation whose object is there. */
export interface Adopted {
  operation: PendingOperation;
  object: Found;
  sought: Sought;
}

/**
 * A state without interrupted operations, in which the objects that were made have their places. The next update waits until
 * they are ready, and removes what they replace.
 */
export function withAdopted(state: State, adopted: readonly Adopted[]): State {
  const resources = adopted.reduce(withResource, state.deployment.resources ?? []);
  return { ...state, deployment: { ...state.deployment, resources, pending_operations: [] } };
}

/** Before the one that it replaces, as what depends on both is after that; else at the end, as all it depends on is there. */
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

/** As the program has asked for it: a refresh fills in what the API server has added. */
function stateOf({ operation: { resource }, object, sought }: Adopted): StateResource {
  const { apiVersion, name } = sought;
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
