import type { Config } from "../config/schema";
import type { Handler, Maybe } from "../model/kubernetes";
import type { KubernetesObject } from "../model/resource";
import { isRecord } from "../model/shape";
import { recordAt, type Stack } from "../model/stack";
import {
  budgetsOf,
  isExposed,
  isLongRunning,
  isReplaced,
  isServed,
  isSpread,
  maxPods,
  minPods,
  templateOf,
} from "../model/workloads";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const PROBES =
  "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/";
const TERMINATION =
  "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination";
const DISRUPTIONS = "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/";
/** The default of terminationGracePeriodSeconds. */
const DEFAULT_GRACE = 30;

/** Whether a pod serves the requests that it gets while it stops. */
function gracefulStop(object: KubernetesObject, stack: Stack, config: Config): string[] {
  const pod = templateOf(object);
  if (
    pod === undefined ||
    !isLongRunning(object) ||
    isReplaced(object, stack) ||
    !isExposed(object, stack)
  ) {
    return [];
  }
  const hooks = (pod.spec.containers ?? []).map(({ lifecycle }) => lifecycle?.preStop);
  const working = hooks.filter(doesSomething);
  if (working.length === 0) {
    return [`${pod.path}.containers have no preStop hook`];
  }
  const slept = Math.max(...working.map(secondsOf));
  const grace = pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE;
  const { drainSeconds } = config.serving;
  return grace - slept >= drainSeconds
    ? []
    : [
        `${pod.path}.terminationGracePeriodSeconds leaves less than ${drainSeconds} s after preStop`,
      ];
}

/** Whether a probe or hook is not empty, and not a sleep of zero seconds. */
function doesSomething(handler: Maybe<Handler>): handler is Handler {
  const { exec, grpc, httpGet, sleep, tcpSocket } = recordAt({ handler }, "handler");
  return (
    [exec, grpc, httpGet, tcpSocket].some(isRecord) ||
    Number(recordAt({ sleep }, "sleep").seconds) > 0
  );
}

/** Duration of a hook's sleep action or sleep command. */
function secondsOf({ exec, sleep }: Handler): number {
  const [, seconds] = /\bsleep\s+(\d+)/.exec((exec?.command ?? []).join(" ")) ?? [];
  return Number(sleep?.seconds ?? seconds ?? 0);
}

function isAll(value: unknown): boolean {
  return value === "100%";
}

function isNone(value: unknown): boolean {
  return value === 0 || value === "0" || value === "0%";
}

/** Whether a workload needs rules for the loss of one pod. */
function isReplicated(object: KubernetesObject, stack: Stack): boolean {
  return isLongRunning(object) && !isReplaced(object, stack) && isServed(object, stack);
}

/** A number of pods, which may be a percentage of all pods, rounded up. */
function podsIn(value: unknown, all: number): number {
  const [, percent] = /^(\d+)%$/.exec(`${value}`) ?? [];
  return percent === undefined
    ? Number(value ?? Number.NaN)
    : Math.ceil((all * Number(percent)) / 100);
}

/** Violations of a PodDisruptionBudget for the minimum number of pods. */
function budgetProblems(budget: KubernetesObject, fewest: number): string[] {
  const { maxUnavailable, minAvailable } = recordAt(budget.value, "spec");
  return [
    ...(podsIn(minAvailable, fewest) >= fewest
      ? ["its PodDisruptionBudget requires the minimum number of pods"]
      : []),
    // The only pod must be evictable, or its node could never be drained.
    ...(podsIn(maxUnavailable, fewest) >= Math.max(fewest, 2)
      ? ["its PodDisruptionBudget allows the eviction of all pods"]
      : []),
  ];
}

/** Rules for the availability of services. */
export const AVAILABILITY_RULES: readonly Rule[] = [
  {
    ...base,
    name: "probes",
    description: "A pod has a liveness probe, and gets requests only when it is ready.",
    remedy: "Set livenessProbe and readinessProbe.",
    url: PROBES,
    container: ({ spec, role, pod }) =>
      role === "main" && isLongRunning(pod.object)
        ? (["livenessProbe", "readinessProbe"] as const).flatMap((probe) =>
            doesSomething(spec[probe]) ? [] : `${probe} is absent`,
          )
        : undefined,
  },
  {
    ...base,
    name: "distinct-probes",
    level: "advisory",
    description: "A busy pod temporarily gets no requests, and is not restarted.",
    remedy: "Make livenessProbe check less, or fail later, than readinessProbe.",
    url: PROBES,
    container: ({ spec }) =>
      spec.livenessProbe && same(spec.livenessProbe, spec.readinessProbe)
        ? "livenessProbe is the same as readinessProbe"
        : undefined,
  },
  {
    ...base,
    name: "graceful-stop",
    description:
      "A pod serves requests until all proxies have removed its endpoint, and then finishes requests in progress.",
    remedy:
      "Set lifecycle.preStop.sleep, and a grace period with enough time for the server to drain.",
    url: TERMINATION,
    inStack: gracefulStop,
  },
  {
    ...base,
    name: "disruption-budget",
    description: "Node drains cannot evict all pods of a service at the same time.",
    remedy: "Create a PodDisruptionBudget that selects its pods.",
    url: DISRUPTIONS,
    inStack: (object, stack) =>
      isReplicated(object, stack) && budgetsOf(object, stack).length === 0
        ? "no PodDisruptionBudget selects the pods of this service"
        : undefined,
  },
  {
    ...base,
    name: "working-budget",
    description: "A PodDisruptionBudget that allows no disruption blocks node drains indefinitely.",
    remedy: "Set maxUnavailable to 1.",
    url: DISRUPTIONS,
    object: ({ kind, value }) => {
      if (kind !== "PodDisruptionBudget") {
        return undefined;
      }
      const { maxUnavailable, minAvailable } = recordAt(value, "spec");
      const set = [maxUnavailable, minAvailable].filter((one) => (one ?? undefined) !== undefined);
      return set.length === 0 || set.some((one) => isNone(one) || isAll(one))
        ? "spec allows no disruption, or all disruptions"
        : undefined;
    },
    inStack: (object, stack) =>
      budgetsOf(object, stack).flatMap((budget) =>
        budgetProblems(budget, Math.max(minPods(object, stack), 1)),
      ),
  },
  {
    ...base,
    name: "spread",
    description:
      "The pods of a service run on several nodes, so that the loss of a node is not an outage.",
    remedy: "Set topologySpreadConstraints.",
    url: "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
    inStack: (object, stack) => {
      const pod = templateOf(object);
      return pod && isReplicated(object, stack) && maxPods(object, stack) > 1 && !isSpread(pod)
        ? `${pod.path}.topologySpreadConstraints is absent`
        : undefined;
    },
  },
  {
    ...base,
    name: "single-replica",
    level: "advisory",
    description: "A service has a second pod if one fails.",
    remedy: "Set replicas, or minReplicas of its autoscaler, to 2.",
    inStack: (object, stack) =>
      isReplicated(object, stack) && isExposed(object, stack) && minPods(object, stack) < 2
        ? "the service may have a single pod"
        : undefined,
  },
  {
    ...base,
    name: "rolling-update",
    description: "A rollout does not stop all pods at the same time.",
    remedy: "Set strategy.rollingUpdate.maxUnavailable to 0.",
    object: ({ kind, value }) =>
      kind === "Deployment" &&
      isAll(recordAt(value, "spec", "strategy", "rollingUpdate").maxUnavailable)
        ? "spec.strategy.rollingUpdate.maxUnavailable is 100%"
        : undefined,
  },
];

function same(one: Maybe<Handler>, other: Maybe<Handler>): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
