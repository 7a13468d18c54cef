import type { KubernetesObject } from "../model/resource";
import { list, recordAt } from "../model/stack";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/workloads/controllers/job/",
} as const;
const CRON = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/";

/** Restart policies of pods that run to completion. */
const ENDING: ReadonlySet<unknown> = new Set(["Never", "OnFailure"]);

/** A Job, or the Job template of another object. */
interface Job {
  /** Path of its spec. */
  readonly path: string;
  readonly spec: Record<string, unknown>;
}

function jobsOf({ kind, value }: KubernetesObject): Job[] {
  switch (kind) {
    case "Job":
      return [{ path: "spec", spec: recordAt(value, "spec") }];
    case "CronJob":
      return [
        { path: "spec.jobTemplate.spec", spec: recordAt(value, "spec", "jobTemplate", "spec") },
      ];
    case "ScaledJob":
      return [{ path: "spec.jobTargetRef", spec: recordAt(value, "spec", "jobTargetRef") }];
    case "JobSet":
      return list(recordAt(value, "spec").replicatedJobs).map((job, index) => ({
        path: `spec.replicatedJobs[${index}].template.spec`,
        spec: recordAt({ job }, "job", "template", "spec"),
      }));
    default:
      return [];
  }
}

/** Rules for Jobs. */
export const JOB_RULES: readonly Rule[] = [
  {
    ...base,
    name: "job-deadline",
    description: "A Job that hangs is stopped and releases its CPUs and GPUs.",
    remedy: "Set activeDeadlineSeconds.",
    object: (object) =>
      jobsOf(object)
        .filter(({ spec }) => !(Number(spec.activeDeadlineSeconds ?? 0) > 0))
        .map(({ path }) => `${path}.activeDeadlineSeconds is absent`),
  },
  {
    ...base,
    name: "job-retries",
    description: "A Job that always fails is retried only a few times; the default is six.",
    remedy: "Set backoffLimit, to 6 at most.",
    object: (object) =>
      jobsOf(object)
        .filter(({ spec }) => !(Number(spec.backoffLimit ?? Number.NaN) <= 6))
        .map(({ path }) => `${path}.backoffLimit is absent or above 6`),
  },
  {
    ...base,
    name: "job-restart-policy",
    description: "The pods of a Job run to completion.",
    remedy: "Set restartPolicy to Never or OnFailure.",
    object: (object) =>
      jobsOf(object)
        .filter(({ spec }) => !ENDING.has(recordAt(spec, "template", "spec").restartPolicy))
        .map(({ path }) => `${path}.template.spec.restartPolicy is not Never or OnFailure`),
  },
  {
    ...base,
    name: "cron-overlap",
    description:
      "A scheduled run does not start while another one is running, and missed runs do not start all at once.",
    remedy: "Set concurrencyPolicy to Forbid or Replace, and startingDeadlineSeconds.",
    url: CRON,
    object: ({ kind, value }) => {
      const { concurrencyPolicy, startingDeadlineSeconds } = recordAt(value, "spec");
      return kind === "CronJob"
        ? [
            ...(["Forbid", "Replace"].includes(`${concurrencyPolicy}`)
              ? []
              : ["spec.concurrencyPolicy lets runs overlap"]),
            ...(Number(startingDeadlineSeconds ?? 0) > 0
              ? []
              : ["spec.startingDeadlineSeconds is absent"]),
          ]
        : undefined;
    },
  },
];
