import type { KubernetesObject } from "../model/resource";
import { part } from "../model/stack";
import { templateOf } from "../model/workloads";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/workloads/controllers/job/",
} as const;
const CRON = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/";

/** The Job that an object is, or makes, and where its spec stands. */
function jobOf({ kind, value }: KubernetesObject): [string, Record<string, unknown>] | undefined {
  switch (kind) {
    case "Job":
      return ["spec", part(value, "spec")];
    case "CronJob":
      return ["spec.jobTemplate.spec", part(value, "spec", "jobTemplate", "spec")];
    default:
      return undefined;
  }
}

/** Work that ends. */
export const JOB_RULES: readonly Rule[] = [
  {
    ...base,
    name: "job-deadline",
    about: "A job that hangs gives its CPUs and GPUs back.",
    remedy: "Set activeDeadlineSeconds.",
    object: (object) => {
      const [path, spec] = jobOf(object) ?? [];
      return spec && !(Number(spec.activeDeadlineSeconds ?? 0) > 0)
        ? `${path}.activeDeadlineSeconds is absent`
        : undefined;
    },
  },
  {
    ...base,
    name: "job-retries",
    about: "A job that always fails stops trying; the default is six times.",
    remedy: "Set backoffLimit, to 6 at most.",
    object: (object) => {
      const [path, spec] = jobOf(object) ?? [];
      return spec && !(Number(spec.backoffLimit ?? Number.NaN) <= 6)
        ? `${path}.backoffLimit is absent or above 6`
        : undefined;
    },
  },
  {
    ...base,
    name: "job-restart-policy",
    about: "A job's pod ends.",
    remedy: "Set restartPolicy to Never or OnFailure.",
    object: (object) => {
      const pod = jobOf(object) && templateOf(object);
      return pod && !["Never", "OnFailure"].includes(pod.spec.restartPolicy ?? "")
        ? `${pod.path}.restartPolicy is not Never or OnFailure`
        : undefined;
    },
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
