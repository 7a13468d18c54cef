import { autoscaler, batchJob, deployment, httpRoute, served } from "../objects";
import type { RuleCases } from "./case";

const POD = "[0].spec.template.spec";
const CONTAINER = `${POD}.containers[0]`;
const pod = "spec.template.spec";
const container = `${pod}.containers[0]`;
const recreated = { "[0].spec.strategy": { type: "Recreate" } };

/** Rules about what keeps services up. */
export const WORKLOAD_CASES: Readonly<Record<string, RuleCases>> = {
  probes: {
    good: [deployment, batchJob],
    passes: {
      "an init container": { [`${POD}.initContainers`]: [{ name: "init" }] },
      "a job of another kind": {
        "[0].kind": "PyTorchJob",
        [`${CONTAINER}.livenessProbe`]: undefined,
      },
      "a pod of every node": {
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
      "none in another kind that runs for ever": [
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
      "one that nobody calls from outside": {
        "[2]": undefined,
        [`${CONTAINER}.lifecycle`]: undefined,
      },
      "a command": { [`${CONTAINER}.lifecycle.preStop`]: { exec: { command: ["sleep", "5"] } } },
    },
    fails: {
      "a sleep of no time": [
        { [`${CONTAINER}.lifecycle.preStop.sleep.seconds`]: 0 },
        `${pod}.containers have no preStop hook`,
      ],
      "no time after a command": [
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
        "no PodDisruptionBudget chooses the pods of this service",
      ],
      "another kind that runs for ever": [
        { "[0].kind": "ReplicaSet", "[3]": undefined },
        "no PodDisruptionBudget chooses the pods of this service",
      ],
      "for no pods": [
        { "[3].spec.selector": null },
        "no PodDisruptionBudget chooses the pods of this service",
      ],
      none: [{ "[3]": undefined }, "no PodDisruptionBudget chooses the pods of this service"],
      "for other pods": [
        { "[3].spec.selector.matchLabels": { app: "other" } },
        "no PodDisruptionBudget chooses the pods of this service",
      ],
      "of another namespace": [
        { "[3].metadata.namespace": "other" },
        "no PodDisruptionBudget chooses the pods of this service",
      ],
    },
  },
  "working-budget": {
    good: [deployment, ...served.slice(1)],
    passes: {
      "fewer than there are": {
        "[0].spec.replicas": 3,
        "[3].spec": { minAvailable: 2, selector: {} },
      },
      "a third of them": {
        "[0].spec.replicas": 3,
        "[3].spec": { maxUnavailable: "33%", selector: {} },
      },
    },
    fails: {
      "neither bound": [
        { "[3].spec.maxUnavailable": undefined },
        "spec allows no disruption, or every one",
      ],
      "none that has to stay": [
        { "[3].spec": { minAvailable: 0, selector: {} } },
        "spec allows no disruption, or every one",
      ],
      "more than there are": [
        { "[3].spec.maxUnavailable": 10 },
        "its PodDisruptionBudget lets all pods go that there may be",
      ],
      "a share that is the only pod": [
        { "[3].spec": { minAvailable: "50%", selector: {} } },
        "its PodDisruptionBudget needs as many pods as there may be",
      ],
      "no disruption": [
        { "[3].spec.maxUnavailable": 0 },
        "spec allows no disruption, or every one",
      ],
      "every one": [
        { "[3].spec.maxUnavailable": "100%" },
        "spec allows no disruption, or every one",
      ],
      "as many as there are": [
        { "[3].spec": { minAvailable: 1, selector: {} } },
        "its PodDisruptionBudget needs as many pods as there may be",
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
      "one at the least": [{ "[5].spec.minReplicas": 1 }, "the service may have a single pod"],
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
