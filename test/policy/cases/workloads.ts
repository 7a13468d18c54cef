import { autoscaler, batchJob, cronJob, deployment, served } from "../objects";
import type { RuleCases } from "./case";

const POD = "[0].spec.template.spec";
const CONTAINER = `${POD}.containers[0]`;
const pod = "spec.template.spec";
const container = `${pod}.containers[0]`;
const recreated = { "[0].spec.strategy": { type: "Recreate" } };
const CRON = "[0].spec.jobTemplate.spec";
const cron = "spec.jobTemplate.spec";

/** Rules about what keeps services up, and jobs bounded. */
export const WORKLOAD_CASES: Readonly<Record<string, RuleCases>> = {
  probes: {
    good: [deployment, batchJob],
    passes: { "an init container": { [`${POD}.initContainers`]: [{ name: "init" }] } },
    fails: {
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
    },
    fails: {
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
    },
    fails: {
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
  "autoscaler-bounds": {
    good: [autoscaler],
    fails: {
      "the wrong way round": [
        { "[0].spec.minReplicas": 7 },
        "spec.maxReplicas is not above spec.minReplicas",
      ],
      "down to nothing": [
        { "[0].spec.minReplicas": 0 },
        "spec.maxReplicas is not above spec.minReplicas",
      ],
      "no metric": [{ "[0].spec.metrics": null }, "spec.metrics is empty"],
    },
  },
  "autoscaler-target": {
    good: [autoscaler, deployment],
    fails: {
      none: [{ "[1]": undefined }, "spec.scaleTargetRef names nothing in this stack"],
      "of another kind": [
        { "[0].spec.scaleTargetRef.kind": "StatefulSet" },
        "spec.scaleTargetRef names nothing in this stack",
      ],
    },
  },
  "scaled-replicas": {
    good: [deployment, autoscaler],
    passes: { "without an autoscaler": { "[0].spec.replicas": 3, "[1]": undefined } },
    fails: { both: [{ "[0].spec.replicas": 3 }, "spec.replicas is set beside an autoscaler"] },
  },
  "single-autoscaler": {
    good: [deployment, autoscaler],
    fails: { twins: [{ "[2]": autoscaler }, "several autoscalers scale it"] },
  },
  "job-deadline": {
    good: [cronJob],
    fails: {
      none: [
        { [`${CRON}.activeDeadlineSeconds`]: undefined },
        `${cron}.activeDeadlineSeconds is absent`,
      ],
    },
  },
  "job-retries": {
    good: [batchJob],
    passes: { none: { "[0].spec.backoffLimit": 0 } },
    fails: {
      "for ever": [{ "[0].spec.backoffLimit": 100 }, "spec.backoffLimit is absent or above 6"],
      "by default": [{ "[0].spec.backoffLimit": null }, "spec.backoffLimit is absent or above 6"],
    },
  },
  "job-restart-policy": {
    good: [batchJob, deployment],
    fails: {
      always: [
        { [`${POD}.restartPolicy`]: "Always" },
        `${pod}.restartPolicy is not Never or OnFailure`,
      ],
    },
  },
  "cron-overlap": {
    good: [cronJob],
    fails: {
      "by default": [
        { "[0].spec.concurrencyPolicy": null, "[0].spec.startingDeadlineSeconds": null },
        "spec.concurrencyPolicy lets runs overlap",
        "spec.startingDeadlineSeconds is absent",
      ],
    },
  },
};
