import { autoscaler, batchJob, deployment, httpRoute, served } from "../objects";
import type { RuleCases } from "./case";

const POD = "[0].spec.template.spec";
const CONTAINER = `${POD}.containers[0]`;
const pod = "spec.template.spec";
const container = `${pod}.containers[0]`;
const recreated = { "[0].spec.strategy": { type: "Recreate" } };

/** Rules for the availability of services. */
export const WORKLOAD_CASES: Readonly<Record<string, RuleCases>> = {
  probes: {
    good: [deployment, batchJob],
    passes: {
      "an init container": { [`${POD}.initContainers`]: [{ name: "init" }] },
      "a Job of another API group": {
        "[0].kind": "PyTorchJob",
        [`${CONTAINER}.livenessProbe`]: undefined,
      },
      "a DaemonSet": {
        "[0].kind": "DaemonSet",
        [`${CONTAINER}.livenessProbe`]: undefined,
      },
    },
    fails: {
      "empty ones": [
        { [`${CONTAINER}.livenessProbe`]: {}, [`${CONTAINER}.readinessProbe`]: { exec: null } },
        `${container}.livenessProbe is absent`,
        `${container}.readinessProbe is absent`,
      ],
      "none in another long-running kind": [
        {
          "[0].apiVersion": "argoproj.io/v1alpha1",
          "[0].kind": "Rollout",
          [`${CONTAINER}.livenessProbe`]: undefined,
        },
        `${container}.livenessProbe is absent`,
      ],
      none: [
        { [`${CONTAINER}.livenessProbe`]: undefined, [`${CONTAINER}.readinessProbe`]: null },
        `${container}.livenessProbe is absent`,
        `${container}.readinessProbe is absent`,
      ],
    },
  },
  "distinct-probes": {
    good: [deployment],
    fails: {
      same: [
        { [`${CONTAINER}.readinessProbe.httpGet.path`]: "/healthz" },
        `${container}.livenessProbe is the same as readinessProbe`,
      ],
    },
  },
  "graceful-stop": {
    good: served,
    passes: {
      "a workload that is replaced": { ...recreated, [`${CONTAINER}.lifecycle`]: undefined },
      "one without external requests": {
        "[2]": undefined,
        [`${CONTAINER}.lifecycle`]: undefined,
      },
      "a command": { [`${CONTAINER}.lifecycle.preStop`]: { exec: { command: ["sleep", "5"] } } },
    },
    fails: {
      "a sleep of zero seconds": [
        { [`${CONTAINER}.lifecycle.preStop.sleep.seconds`]: 0 },
        `${pod}.containers have no preStop hook`,
      ],
      "no time after a sleep command": [
        { [`${CONTAINER}.lifecycle.preStop`]: { exec: { command: ["sh", "-c", "sleep 29"] } } },
        `${pod}.terminationGracePeriodSeconds leaves less than 10 s after preStop`,
      ],
      "no hook behind a route": [
        {
          "[2]": { ...httpRoute, kind: "GRPCRoute" },
          [`${CONTAINER}.lifecycle`]: undefined,
        },
        `${pod}.containers have no preStop hook`,
      ],
      "no hook behind a load balancer": [
        { "[1].spec.type": "LoadBalancer", "[2]": undefined, [`${CONTAINER}.lifecycle`]: null },
        `${pod}.containers have no preStop hook`,
      ],
      "no hook in several pods that are replaced": [
        { ...recreated, "[0].spec.replicas": 3, [`${CONTAINER}.lifecycle`]: undefined },
        `${pod}.containers have no preStop hook`,
      ],
      "no hook": [{ [`${CONTAINER}.lifecycle`]: null }, `${pod}.containers have no preStop hook`],
      "no time to drain": [
        { [`${CONTAINER}.lifecycle.preStop.sleep.seconds`]: 25 },
        `${pod}.terminationGracePeriodSeconds leaves less than 10 s after preStop`,
      ],
    },
  },
  "disruption-budget": {
    good: served,
    passes: { "a workload that is replaced": { ...recreated, "[3]": undefined } },
    fails: {
      "several pods that are replaced": [
        { ...recreated, "[0].spec.replicas": 3, "[3]": undefined },
        "no PodDisruptionBudget selects the pods of this service",
      ],
      "another long-running kind": [
        { "[0].kind": "ReplicaSet", "[3]": undefined },
        "no PodDisruptionBudget selects the pods of this service",
      ],
      "for no pods": [
        { "[3].spec.selector": null },
        "no PodDisruptionBudget selects the pods of this service",
      ],
      none: [{ "[3]": undefined }, "no PodDisruptionBudget selects the pods of this service"],
      "for other pods": [
        { "[3].spec.selector.matchLabels": { app: "other" } },
        "no PodDisruptionBudget selects the pods of this service",
      ],
      "of another namespace": [
        { "[3].metadata.namespace": "other" },
        "no PodDisruptionBudget selects the pods of this service",
      ],
    },
  },
  "working-budget": {
    good: [deployment, ...served.slice(1)],
    passes: {
      "fewer than the replicas": {
        "[0].spec.replicas": 3,
        "[3].spec": { minAvailable: 2, selector: {} },
      },
      "a third of them": {
        "[0].spec.replicas": 3,
        "[3].spec": { maxUnavailable: "33%", selector: {} },
      },
    },
    fails: {
      "neither field": [
        { "[3].spec.maxUnavailable": undefined },
        "spec allows no disruption, or all disruptions",
      ],
      "minAvailable 0": [
        { "[3].spec": { minAvailable: 0, selector: {} } },
        "spec allows no disruption, or all disruptions",
      ],
      "more than the replicas": [
        { "[3].spec.maxUnavailable": 10 },
        "its PodDisruptionBudget allows the eviction of all pods",
      ],
      "a percentage that is the only pod": [
        { "[3].spec": { minAvailable: "50%", selector: {} } },
        "its PodDisruptionBudget requires the minimum number of pods",
      ],
      "no disruption": [
        { "[3].spec.maxUnavailable": 0 },
        "spec allows no disruption, or all disruptions",
      ],
      "all pods": [
        { "[3].spec.maxUnavailable": "100%" },
        "spec allows no disruption, or all disruptions",
      ],
      "as many as the replicas": [
        { "[3].spec": { minAvailable: 1, selector: {} } },
        "its PodDisruptionBudget requires the minimum number of pods",
      ],
    },
  },
  spread: {
    good: [...served, autoscaler],
    passes: {
      "a single pod": { "[5]": undefined, [`${POD}.topologySpreadConstraints`]: undefined },
      "by affinity": {
        [`${POD}.topologySpreadConstraints`]: undefined,
        [`${POD}.affinity`]: { podAntiAffinity: {} },
      },
    },
    fails: {
      none: [
        { [`${POD}.topologySpreadConstraints`]: null },
        `${pod}.topologySpreadConstraints is absent`,
      ],
    },
  },
  "single-replica": {
    good: [...served, autoscaler],
    passes: { "two of them": { "[5]": undefined, "[0].spec.replicas": 2 } },
    fails: {
      "one as minimum": [{ "[5].spec.minReplicas": 1 }, "the service may have a single pod"],
      one: [{ "[5]": undefined }, "the service may have a single pod"],
    },
  },
  "rolling-update": {
    good: [deployment],
    fails: {
      "all at once": [
        { "[0].spec.strategy.rollingUpdate.maxUnavailable": "100%" },
        "spec.strategy.rollingUpdate.maxUnavailable is 100%",
      ],
    },
  },
};
