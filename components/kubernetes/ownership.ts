import { AsyncResource } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";

/** The annotation that says which stack an object belongs to. */
export const STACK = "ml-platform/stack";

/** An object that is to be created, as far as it takes to find it. */
export interface ObjectName {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

/**
 * Looks an object up in the cluster.
 * @returns its annotations; undefined where there is no such object
 * @throws Error where the cluster cannot be asked
 */
export type Lookup = (object: ObjectName) => Promise<Readonly<Record<string, string>> | undefined>;

/**
 * The current stack, as {@link STACK} names it.
 * @param id tells stacks of one name apart whose states are kept in different places
 */
export function stackIdentity(id: string | undefined): string {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  return id ? `${name}/${id}` : name;
}

/** Why an object must not be created by a stack, and what to do; undefined where it may. */
export function foreignObject(
  { kind, metadata: { name } }: ObjectName,
  found: Readonly<Record<string, string>> | undefined,
  stack: string,
): string | undefined {
  // What this stack began to create and could not note is its own.
  if (!found || found[STACK] === stack) return undefined;
  const owner = found[STACK] ? `belongs to the stack ${found[STACK]}` : "belongs to no stack";
  const object = `${kind.toLowerCase()} ${name}`;
  return (
    `${object} is in the cluster already and ${owner}, so that ${stack} must not change or delete it; ` +
    "choose another name in the stack's configuration, or delete the object if nobody needs it, or, with a Kubernetes provider before 4.29, hand it over with " +
    `\`kubectl annotate --overwrite ${object} ${STACK}=${stack}\``
  );
}

/**
 * Marks objects that the whole cluster shares and that have a name of our choice (namespaces, APIServices) as this stack's,
 * and refuses, at preview too, to create one that is there and not this stack's. Kubernetes providers before 4.29 would take
 * it over without a word, and a later `destroy` would delete it. What the stack's state has already is not looked up.
 */
export function ownedByStack(stack: string, lookUp: Lookup): pulumi.ResourceTransformation {
  const check = new pulumi.ResourceHook(
    "owned-by-stack",
    // The engine calls it from outside the program, where Pulumi does not know whether this is a preview.
    AsyncResource.bind(({ newInputs }: pulumi.ResourceHookArgs) =>
      refuseForeign(newInputs as ObjectName, stack, lookUp),
    ),
    { onDryRun: true },
  );
  return ({ type, props, opts }) => {
    const { metadata } = props;
    if (!type.startsWith("kubernetes:") || !metadata?.name || metadata.namespace) return undefined;
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
    const reason = `whether ${object.kind.toLowerCase()} ${object.metadata.name} is somebody else's cannot be looked up: ${(error as Error).message}`;
    // A preview may be for a cluster that is not there yet; an update is not.
    if (!pulumi.runtime.isDryRun()) throw new Error(reason);
    return void pulumi.log.warn(reason);
  }
  const problem = foreignObject(object, found, stack);
  if (problem) throw new Error(problem);
}
