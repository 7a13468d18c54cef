import { autoscaler, batchJob, cronJob, deployment, jobSet, scaledObject } from "../objects";
import type { RuleCases } from "./case";

const POD = "[0].spec.template.spec";
const pod = "spec.template.spec";
const CRON = "[0].spec.jobTemplate.spec";
const cron = "spec.jobTemplate.spec";

/** Rules for autoscalers and Jobs. */
export const SCALING_CASES: Readonly<Record<string, RuleCases>> = {
  "autoscaler-bounds": {
    good: [autoscaler, scaledObject],
    fails: {
      "minimum above maximum, in KEDA": [
        { "[1].spec.minReplicaCount": 7 },
        "spec.maxReplicaCount is not above spec.minReplicaCount",
      ],
      "no trigger": [{ "[1].spec.triggers": [] }, "spec.triggers is empty"],
      "minimum above maximum": [
        { "[0].spec.minReplicas": 7 },
        "spec.maxReplicas is not above spec.minReplicas",
      ],
      "scale to zero": [
        { "[0].spec.minReplicas": 0 },
        "spec.maxReplicas is not above spec.minReplicas",
      ],
      "no metric": [{ "[0].spec.metrics": null }, "spec.metrics is empty"],
    },
  },
  "autoscaler-target": {
    good: [autoscaler, deployment, scaledObject],
    fails: {
      none: [
        { "[1].metadata.name": "other" },
        "spec.scaleTargetRef names no object of this stack",
        "spec.scaleTargetRef names no object of this stack",
      ],
      "of another kind": [
        { "[0].spec.scaleTargetRef.kind": "StatefulSet" },
        "spec.scaleTargetRef names no object of this stack",
      ],
    },
  },
  "scaled-replicas": {
    good: [deployment, autoscaler],
    passes: {
      "without an autoscaler": { "[0].spec.replicas": 3, "[1]": undefined },
      "null, which is absent": { "[0].spec.replicas": null },
    },
    fails: {
      both: [{ "[0].spec.replicas": 3 }, "spec.replicas is set for a workload with an autoscaler"],
    },
  },
  "single-autoscaler": {
    good: [deployment, autoscaler],
    fails: {
      "two of the same kind": [{ "[2]": autoscaler }, "several autoscalers scale the workload"],
      "of two kinds": [{ "[2]": scaledObject }, "several autoscalers scale the workload"],
    },
  },
  "job-deadline": {
    good: [cronJob, jobSet],
    fails: {
      "none in a JobSet": [
        { "[1].spec.replicatedJobs[0].template.spec.activeDeadlineSeconds": undefined },
        "spec.replicatedJobs[0].template.spec.activeDeadlineSeconds is absent",
      ],
      none: [
        { [`${CRON}.activeDeadlineSeconds`]: undefined },
        `${cron}.activeDeadlineSeconds is absent`,
      ],
    },
  },
  "job-retries": {
    good: [batchJob, jobSet],
    passes: { none: { "[0].spec.backoffLimit": 0 } },
    fails: {
      "too many": [{ "[0].spec.backoffLimit": 100 }, "spec.backoffLimit is absent or above 6"],
      "by default": [{ "[0].spec.backoffLimit": null }, "spec.backoffLimit is absent or above 6"],
    },
  },
  "job-restart-policy": {
    good: [batchJob, deployment, jobSet],
    fails: {
      "Always, in a JobSet": [
        {
          "[2].spec.replicatedJobs[0].template.spec.template.spec.restartPolicy": "Always",
        },
        "spec.replicatedJobs[0].template.spec.template.spec.restartPolicy is not Never or OnFailure",
      ],
      "Always, in a ScaledJob": [
        { "[0].kind": "ScaledJob", "[0].spec": { jobTargetRef: deployment.spec } },
        "spec.jobTargetRef.template.spec.restartPolicy is not Never or OnFailure",
      ],
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
