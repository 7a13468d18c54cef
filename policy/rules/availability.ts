import type { Config } from "../config/schema";
import type { Handler, Maybe } from "../model/kubernetes";
import type { KubernetesObject } from "../model/resource";
import { isRecord } from "../model/shape";
import { part, type Stack } from "../model/stack";
import {
  budgetsOf,
  fewestPods,
  isExposed,
  isLongRunning,
  isReplaced,
  isServed,
  isSpread,
  mostPods,
  templateOf,
} from "../model/workloads";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const PROBES =
  "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/";
const TERMINATION =
  "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination";
const DISRUPTIONS = "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/";
/** What the API server fills in where terminationGracePeriodSeconds is absent. */
const DEFAULT_GRACE = 30;

/** Requests that a pod gets while it stops are answered: its last seconds are planned. */
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

/** Whether a probe or hook is more than an empty object, or a sleep of no time. */
function doesSomething(handler: Maybe<Handler>): handler is Handler {
  const { exec, grpc, httpGet, sleep, tcpSocket } = part({ handler }, "handler");
  return (
    [exec, grpc, httpGet, tcpSocket].some(isRecord) || Number(part({ sleep }, "sleep").seconds) > 0
  );
}

/** How long a hook sleeps, by itself or by the command of that name. */
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

/** Whether a workload's requests outlast the loss of one pod only with more care than one pod. */
function isReplicated(object: KubernetesObject, stack: Stack): boolean {
  return isLongRunning(object) && !isReplaced(object, stack) && isServed(object, stack);
}

/** A count of pods, which may be written as a share of all that there are; shares are rounded up. */
function podsIn(value: unknown, all: number): number {
  const [, percent] = /^(\d+)%$/.exec(`${value}`) ?? [];
  return percent === undefined
    ? Number(value ?? Number.NaN)
    : Math.ceil((all * Number(percent)) / 100);
}

/** What is wrong with a budget in view of the fewest pods that it may hold for. */
function againstPods(budget: KubernetesObject, fewest: number): string[] {
  const { maxUnavailable, minAvailable } = part(budget.value, "spec");
  return [
    ...(podsIn(minAvailable, fewest) >= fewest
      ? ["its PodDisruptionBudget needs as many pods as there may be"]
      : []),
    // The only pod has to go with its node, or the node could never be drained.
    ...(podsIn(maxUnavailable, fewest) >= Math.max(fewest, 2)
      ? ["its PodDisruptionBudget lets all pods go that there may be"]
      : []),
  ];
}

/** What keeps a service up when pods come and go. */
export const AVAILABILITY_RULES: readonly Rule[] = [
  {
    ...base,
    name: "probes",
    about: "A pod says whether it is alive, and gets requests only when it is ready.",
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
    about: "A pod that is busy gets no requests for a while; it is not killed for it.",
    remedy: "Let livenessProbe ask for less, or fail later, than readinessProbe.",
    url: PROBES,
    container: ({ spec }) =>
      spec.livenessProbe && same(spec.livenessProbe, spec.readinessProbe)
        ? "livenessProbe is the same as readinessProbe"
        : undefined,
  },
  {
    ...base,
    name: "graceful-stop",
    about: "A pod serves on until every proxy knows that it goes, and then finishes what it began.",
    remedy:
      "Set lifecycle.preStop.sleep, and a grace period that leaves time for the server to drain.",
    url: TERMINATION,
    inStack: gracefulStop,
  },
  {
    ...base,
    name: "disruption-budget",
    about: "Draining nodes cannot take all pods of a service at once.",
    remedy: "Create a PodDisruptionBudget that chooses its pods.",
    url: DISRUPTIONS,
    inStack: (object, stack) =>
      isReplicated(object, stack) && budgetsOf(object, stack).length === 0
        ? "no PodDisruptionBudget chooses the pods of this service"
        : undefined,
  },
  {
    ...base,
    name: "working-budget",
    about: "A budget that allows no disruption keeps nodes from being drained for ever.",
    remedy: "Set maxUnavailable to 1.",
    url: DISRUPTIONS,
    object: ({ kind, value }) => {
      if (kind !== "PodDisruptionBudget") {
        return undefined;
      }
      const { maxUnavailable, minAvailable } = part(value, "spec");
      const set = [maxUnavailable, minAvailable].filter((one) => (one ?? undefined) !== undefined);
      return set.length === 0 || set.some((one) => isNone(one) || isAll(one))
        ? "spec allows no disruption, or every one"
        : undefined;
    },
    inStack: (object, stack) =>
      budgetsOf(object, stack).flatMap((budget) =>
        againstPods(budget, Math.max(fewestPods(object, stack), 1)),
      ),
  },
  {
    ...base,
    name: "spread",
    about: "Pods of one service are on several nodes, so that losing one node is no outage.",
    remedy: "Set topologySpreadConstraints.",
    url: "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
    inStack: (object, stack) => {
      const pod = templateOf(object);
      return pod && isReplicated(object, stack) && mostPods(object, stack) > 1 && !isSpread(pod)
        ? `${pod.path}.topologySpreadConstraints is absent`
        : undefined;
    },
  },
  {
    ...base,
    name: "single-replica",
    level: "advisory",
    about: "A service has a second pod when it loses one.",
    remedy: "Set replicas, or minReplicas of its autoscaler, to 2.",
    inStack: (object, stack) =>
      isReplicated(object, stack) && isExposed(object, stack) && fewestPods(object, stack) < 2
        ? "the service may have a single pod"
        : undefined,
  },
  {
    ...base,
    name: "rolling-update",
    about: "A rollout leaves pods to serve.",
    remedy: "Set strategy.rollingUpdate.maxUnavailable to 0.",
    object: ({ kind, value }) =>
      kind === "Deployment" &&
      isAll(part(value, "spec", "strategy", "rollingUpdate").maxUnavailable)
        ? "spec.strategy.rollingUpdate.maxUnavailable is 100%"
        : undefined,
  },
];

function same(one: Maybe<Handler>, other: Maybe<Handler>): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
