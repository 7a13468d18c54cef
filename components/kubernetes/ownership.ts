import { AsyncResource } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";

/** The annotation with the stack that an object belongs to. */
export const STACK = "ml-platform/stack";

/** The name of an object that will be created. */
export interface ObjectName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string };
}

/**
 * Reads an object from the cluster.
 * @returns its annotations; undefined if it does not exist
 * @throws Error if the cluster does not respond
 */
export type Lookup = (object: ObjectName) => Promise<Readonly<Record<string, string>> | undefined>;

/**
 * The current stack, as the value of {@link STACK}.
 * @param id distinguishes stacks of one name whose states are in different places
 */
export function stackIdentity(id: string | undefined): string {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  return id ? `${name}/${id}` : name;
}

/** Why a stack must not create an object, and what to do; undefined if it may. */
export function foreignObject(
  { kind, metadata: { name } }: ObjectName,
  found: Readonly<Record<string, string>> | undefined,
  stack: string,
): string | undefined {
  // The stack created it, and was interrupted before it recorded that.
  if (!found || found[STACK] === stack) {
    return undefined;
  }
  const owner = found[STACK] ? `belongs to the stack ${found[STACK]}` : "belongs to no stack";
  const object = `${kind.toLowerCase()} ${name}`;
  return (
    `${object} exists already and ${owner}, so ${stack} must not change or delete it; ` +
    "choose another name in the stack's configuration, or delete the object if it is not needed, or, with a Kubernetes provider before 4.29, assign it to this stack with " +
    `\`kubectl annotate --overwrite ${object} ${STACK}=${stack}\``
  );
}

/**
 * Annotates cluster-wide objects with a fixed name (namespaces, APIServices) with this stack, and refuses, at preview too, to
 * create one that exists and belongs to another stack or to none. Kubernetes providers before 4.29 would adopt it silently,
 * and a later `destroy` would delete it. Objects that the stack's state has already are not looked up.
 */
export function ownedByStack(stack: string, lookUp: Lookup): pulumi.ResourceTransformation {
  const check = new pulumi.ResourceHook(
    "owned-by-stack",
    // The engine calls it outside of the program's context, where Pulumi does not know whether this is a preview.
    AsyncResource.bind(({ newInputs }: pulumi.ResourceHookArgs) =>
      refuseForeign(newInputs as ObjectName, stack, lookUp),
    ),
    { onDryRun: true },
  );
  return ({ type, props, opts }) => {
    const { metadata } = props;
    if (!type.startsWith("kubernetes:") || !metadata?.name || metadata.namespace) {
      return undefined;
    }
    const annotations = { ...metadata.annotations, [STACK]: stack };
    return {
      props: { ...props, metadata: { ...metadata, annotations } },
      opts: { ...opts, hooks: { ...opts.hooks, beforeCreate: [check] } },
    };
  };
}

async function refuseForeign(object: ObjectName, stack: string, lookUp: Lookup): Promise<void> {
  let found: Awaited<ReturnType<Lookup>>;
  try {
    found = await lookUp(object);
  } catch (error) {
    const reason = `the owner of ${object.kind.toLowerCase()} ${object.metadata.name} cannot be looked up: ${(error as Error).message}`;
    // A preview may be for a cluster that does not exist yet.
    if (!pulumi.runtime.isDryRun()) {
      throw new Error(reason);
    }
    return void pulumi.log.warn(reason);
  }
  const problem = foreignObject(object, found, stack);
  if (problem) {
    throw new Error(problem);
  }
}
