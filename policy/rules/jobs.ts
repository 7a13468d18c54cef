import type { KubernetesObject } from "../model/resource";
import { list, part } from "../model/stack";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/workloads/controllers/job/",
} as const;
const CRON = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/";

/** Restart policies of pods that end. */
const ENDING: ReadonlySet<unknown> = new Set(["Never", "OnFailure"]);

/** A Job that an object is, or makes. */
interface Job {
  /** Where its spec stands. */
  readonly path: string;
  readonly spec: Record<string, unknown>;
}

function jobsOf({ kind, value }: KubernetesObject): Job[] {
  switch (kind) {
    case "Job":
      return [{ path: "spec", spec: part(value, "spec") }];
    case "CronJob":
      return [{ path: "spec.jobTemplate.spec", spec: part(value, "spec", "jobTemplate", "spec") }];
    case "ScaledJob":
      return [{ path: "spec.jobTargetRef", spec: part(value, "spec", "jobTargetRef") }];
    case "JobSet":
      return list(part(value, "spec").replicatedJobs).map((job, index) => ({
        path: `spec.replicatedJobs[${index}].template.spec`,
        spec: part({ job }, "job", "template", "spec"),
      }));
    default:
      return [];
  }
}

/** Work that ends. */
export const JOB_RULES: readonly Rule[] = [
  {
    ...base,
    name: "job-deadline",
    about: "A job that hangs gives its CPUs and GPUs back.",
    remedy: "Set activeDeadlineSeconds.",
    object: (object) =>
      jobsOf(object)
        .filter(({ spec }) => !(Number(spec.activeDeadlineSeconds ?? 0) > 0))
        .map(({ path }) => `${path}.activeDeadlineSeconds is absent`),
  },
  {
    ...base,
    name: "job-retries",
    about: "A job that always fails stops trying; the default is six times.",
    remedy: "Set backoffLimit, to 6 at most.",
    object: (object) =>
      jobsOf(object)
        .filter(({ spec }) => !(Number(spec.backoffLimit ?? Number.NaN) <= 6))
        .map(({ path }) => `${path}.backoffLimit is absent or above 6`),
  },
  {
    ...base,
    name: "job-restart-policy",
    about: "A job's pod ends.",
    remedy: "Set restartPolicy to Never or OnFailure.",
    object: (object) =>
      jobsOf(object)
        .filter(({ spec }) => !ENDING.has(part(spec, "template", "spec").restartPolicy))
        .map(({ path }) => `${path}.template.spec.restartPolicy is not Never or OnFailure`),
  },
  {
    ...base,
    name: "cron-overlap",
    about:
      "A scheduled run does not start beside one that still runs, nor all missed ones at once.",
    remedy: "Set concurrencyPolicy to Forbid or Replace, and startingDeadlineSeconds.",
    url: CRON,
    object: ({ kind, value }) => {
      const { concurrencyPolicy, startingDeadlineSeconds } = part(value, "spec");
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
