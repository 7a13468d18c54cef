import { z } from "zod";
import type { PodSettings } from "../kubernetes/pod-settings";
import { existingName, httpUrl, labelKey, labelValue, text } from "./types";

const PREFIXES = ["app.kubernetes.io/", "ml-platform/"];

/** Keys of labels and annotations that do not belong to the platform: it finds its own objects by them. */
const freeKey = labelKey.refine(
  (key) => !PREFIXES.some((prefix) => key.startsWith(prefix)),
  `must not start with ${PREFIXES.join(" or ")}, which the platform sets; choose another prefix`,
);

const variableName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
    "must be the name of an environment variable, such as AWS_REGION",
  );

const secretKey = z.strictObject({
  secret: existingName.describe("Secret in the pod's namespace"),
  key: z
    .string()
    .regex(/^[-._a-zA-Z0-9]{1,253}$/, "must be a key of a Secret, such as token")
    .describe("Key in the Secret"),
});

const toleration = z.strictObject({
  key: labelKey.optional().describe("Key of the taint. Default: every taint"),
  operator: z.enum(["Exists", "Equal"]).default("Equal").describe("How the value is compared"),
  value: labelValue.optional().describe("Value of the taint"),
  effect: z
    .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
    .optional()
    .describe("Effect of the taint. Default: every effect"),
});

const mountPath = z
  .string()
  .regex(
    /^\/(?!(tmp|mlflow|app\/data)?$)[-\w./]+$/,
    "must be an absolute path that the platform does not mount itself, such as /data",
  )
  .describe("Where every container of the pod mounts it");

const volume = z
  .strictObject({
    mountPath,
    claim: existingName.optional().describe("PersistentVolumeClaim"),
    configMap: existingName.optional().describe("ConfigMap, mounted read-only"),
    secret: existingName.optional().describe("Secret, mounted read-only"),
    readOnly: z.boolean().default(false).describe("Mounts a claim read-only"),
  })
  .refine(
    ({ claim, configMap, secret }) => [claim, configMap, secret].filter(Boolean).length === 1,
    { message: "must name one object; set claim, configMap or secret" },
  );

/** What a stack may set for the pods of any workload. Every schema of a workload refers to it. */
export const podSettings = z
  .strictObject({
    imagePullSecrets: z
      .array(existingName)
      .optional()
      .describe("Secrets in the pod's namespace with which its image is pulled"),
    nodeSelector: z
      .record(labelKey, labelValue)
      .optional()
      .describe("Labels of the nodes that the pod may run on"),
    tolerations: z.array(toleration).optional().describe("Taints of nodes that the pod tolerates"),
    affinity: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("Affinity, as in a Kubernetes pod spec"),
    priorityClassName: existingName.optional().describe("PriorityClass"),
    runtimeClassName: existingName.optional().describe("RuntimeClass"),
    labels: z.record(freeKey, labelValue).optional().describe("Additional labels"),
    annotations: z.record(freeKey, z.string()).optional().describe("Additional annotations"),
    env: z
      .record(variableName, z.union([z.string(), secretKey]))
      .optional()
      .describe("Additional environment variables: a text, or `secret` and `key` of a Secret"),
    volumes: z.array(volume).optional().describe("Additional volumes, from existing objects"),
    proxy: z
      .strictObject({
        http: httpUrl("http://proxy.example.com:3128").optional().describe("Proxy for http URLs"),
        https: httpUrl("http://proxy.example.com:3128").optional().describe("Proxy for https URLs"),
        noProxy: z
          .array(text)
          .default([])
          .describe("Hosts and domains that are reached directly, besides those of the cluster"),
      })
      .optional()
      .describe("HTTP proxies for connections out of the cluster"),
  })
  .meta({ id: "Pod" });

/** The key `pod` of a workload. */
export const pod = podSettings.prefault({}).describe("Additional settings of its pods");

// A pod template can be made from every value that the schema accepts.
podSettings satisfies z.ZodType<PodSettings>;

/**
 * Refuses environment variables that a workload sets itself.
 * @param names of those variables
 */
export function reserved(names: readonly string[]) {
  return (
    { pod: settings }: { pod: z.output<typeof podSettings> },
    context: z.RefinementCtx,
  ): void => {
    for (const name of Object.keys(settings.env ?? {}).filter((it) => names.includes(it))) {
      const message = "is set by the platform; choose another name";
      context.addIssue({ code: "custom", path: ["pod", "env", name], message });
    }
  };
}
