import type { Inputs, Registration } from "./mocks";

/** Kinds that have a pod template. */
const WORKLOADS = ["Deployment", "DaemonSet", "StatefulSet", "Job", "CronJob"];

/** The Kubernetes objects of resources: those with a kind in their inputs. */
export function objects(registrations: readonly Registration[], kind?: string): Registration[] {
  return registrations.filter(
    ({ inputs }) => inputs.kind && (kind === undefined || inputs.kind === kind),
  );
}

/** The only resource of a kind with this suffix in its name. */
export function only(
  registrations: readonly Registration[],
  kind: string,
  suffix = "",
): Registration {
  const found = objects(registrations, kind).filter(({ name }) => name.endsWith(suffix));
  const [first] = found;
  if (!first || found.length > 1) {
    throw new Error(`${found.length} resources of kind ${kind} have names that end in "${suffix}"`);
  }
  return first;
}

/** A pod template, and its workload. */
export interface Pods {
  readonly workload: string;
  readonly namespace: string;
  readonly labels: Record<string, string>;
  readonly selector: Record<string, string> | undefined;
  readonly spec: Inputs;
}

/** All pod templates of a program. */
export function podTemplates(registrations: readonly Registration[]): Pods[] {
  return objects(registrations)
    .filter(({ inputs }) => WORKLOADS.includes(inputs.kind))
    .map(({ name, inputs }) => ({
      workload: name,
      namespace: inputs.metadata.namespace,
      labels: inputs.spec.template.metadata.labels,
      selector: inputs.spec.selector?.matchLabels,
      spec: inputs.spec.template.spec,
    }));
}

/** All containers of a pod, including init containers. */
export function containers({ spec }: Pods): Inputs[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** Whether a selector matches these labels; an empty one matches everything. */
export function selects(
  selector: Record<string, string> | undefined,
  labels: Record<string, string>,
): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}

/** The name of the created object: its own, or the autoname of the mocks. */
export function objectName({ name, inputs }: Registration): string {
  return inputs.metadata.name ?? `${name}-autonamed`;
}
