import type { KubernetesObject } from "./resource";
import { nameOf, namespaceOf, part, type Stack } from "./stack";

/** How a kind of autoscaler calls its bounds and what it scales by, and its bounds where none are written. */
interface Fields {
  readonly least: string;
  readonly most: string;
  readonly by: string;
  /** Also the lowest that may be written. */
  readonly defaultLeast: number;
  readonly defaultMost: number;
}

const FIELDS: Readonly<Record<string, Fields>> = {
  HorizontalPodAutoscaler: {
    least: "minReplicas",
    most: "maxReplicas",
    by: "metrics",
    defaultLeast: 1,
    defaultMost: 1,
  },
  // KEDA's, which can scale to nothing.
  ScaledObject: {
    least: "minReplicaCount",
    most: "maxReplicaCount",
    by: "triggers",
    defaultLeast: 0,
    defaultMost: 100,
  },
};

/** An object that owns the number of a workload's pods. */
export interface Autoscaler {
  readonly fields: Fields;
  readonly least: number;
  readonly most: number;
  readonly target: { readonly kind: unknown; readonly name: unknown };
}

/** What an object scales; undefined for other kinds of objects. */
export function autoscalerOf({ kind, value }: KubernetesObject): Autoscaler | undefined {
  const fields = FIELDS[kind];
  if (fields === undefined) {
    return undefined;
  }
  return {
    fields,
    get least() {
      return Number(part(value, "spec")[fields.least] ?? fields.defaultLeast);
    },
    get most() {
      return Number(part(value, "spec")[fields.most] ?? fields.defaultMost);
    },
    get target() {
      const { kind = "Deployment", name } = part(value, "spec", "scaleTargetRef");
      return { kind, name };
    },
  };
}

/** The autoscalers of a workload. */
export function autoscalersOf(workload: KubernetesObject, stack: Stack): Autoscaler[] {
  return Object.keys(FIELDS)
    .flatMap(stack.of)
    .filter((object) => namespaceOf(object) === namespaceOf(workload))
    .flatMap((object) => autoscalerOf(object) ?? [])
    .filter(({ target }) => target.kind === workload.kind && target.name === nameOf(workload));
}
