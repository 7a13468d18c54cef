import type { KubernetesObject } from "./resource";
import { nameOf, namespaceOf, recordAt, type Stack } from "./stack";

/** The field names and default bounds of a kind of autoscaler. */
interface Fields {
  readonly min: string;
  readonly max: string;
  readonly by: string;
  /** Also the lowest valid value. */
  readonly defaultMin: number;
  readonly defaultMax: number;
}

const FIELDS: Readonly<Record<string, Fields>> = {
  HorizontalPodAutoscaler: {
    min: "minReplicas",
    max: "maxReplicas",
    by: "metrics",
    defaultMin: 1,
    defaultMax: 1,
  },
  // KEDA's, which can scale to zero.
  ScaledObject: {
    min: "minReplicaCount",
    max: "maxReplicaCount",
    by: "triggers",
    defaultMin: 0,
    defaultMax: 100,
  },
};

/** An object that sets the number of replicas of a workload. */
export interface Autoscaler {
  readonly fields: Fields;
  readonly min: number;
  readonly max: number;
  readonly target: { readonly kind: unknown; readonly name: unknown };
}

/** The autoscaler of an object; undefined for other kinds. */
export function autoscalerOf({ kind, value }: KubernetesObject): Autoscaler | undefined {
  const fields = FIELDS[kind];
  if (fields === undefined) {
    return undefined;
  }
  return {
    fields,
    get min() {
      return Number(recordAt(value, "spec")[fields.min] ?? fields.defaultMin);
    },
    get max() {
      return Number(recordAt(value, "spec")[fields.max] ?? fields.defaultMax);
    },
    get target() {
      const { kind = "Deployment", name } = recordAt(value, "spec", "scaleTargetRef");
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
