import { posix } from "node:path";
import { z } from "zod";
import type { PodSettings } from "../kubernetes/pod-settings";
import { existingName, httpUrl, labelKey, labelValue, text } from "./types";

/** The key of a label or annotation whose prefix the platform or a controller does not use. */
function keyWithout(...prefixes: string[]) {
  return labelKey.refine(
    (key) => !prefixes.some((prefix) => key.startsWith(prefix)),
    `must not start with ${prefixes.join(", ")}, which the platform or Kubernetes sets; choose another prefix`,
  );
}

const addedLabel = keyWithout("app.kubernetes.io/", "batch.kubernetes.io/", "ml-platform/");
const addedAnnotation = keyWithout("ml-platform/", "prometheus.io/");

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

const toleration = z
  .strictObject({
    key: labelKey.optional().describe("Key of the taint; without it, operator is Exists"),
    operator: z.enum(["Exists", "Equal"]).default("Equal").describe("How the value is compared"),
    value: labelValue.optional().describe("Value of the taint, with the operator Equal"),
    effect: z
      .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
      .optional()
      .describe("Effect of the taint. Default: every effect"),
  })
  .refine(({ key, operator }) => key || operator === "Exists", {
    path: ["key"],
    message: "is missing; set it, or set operator to Exists to tolerate every taint",
  })
  .refine(({ operator, value }) => operator === "Equal" || value === undefined, {
    path: ["value"],
    message: "is not allowed with `operator: Exists`; remove it, or set operator to Equal",
  });

const affinityTerm = z.any().optional();

const mountPath = z
  .string()
  .refine(
    (path) => /^(\/[-\w.]+)+$/.test(path) && posix.normalize(path) === path,
    "must be an absolute path without .. or a slash at its end, such as /data",
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
      .record(labelKey, labelValue.or(z.literal("")))
      .optional()
      .describe("Labels of the nodes that the pod may run on"),
    tolerations: z.array(toleration).optional().describe("Taints of nodes that the pod tolerates"),
    affinity: z
      .strictObject({
        nodeAffinity: affinityTerm,
        podAffinity: affinityTerm,
        podAntiAffinity: affinityTerm,
      })
      .optional()
      .describe("Affinity, as in a Kubernetes pod spec"),
    priorityClassName: existingName.optional().describe("PriorityClass"),
    runtimeClassName: existingName.optional().describe("RuntimeClass"),
    labels: z.record(addedLabel, labelValue).optional().describe("Additional labels"),
    annotations: z
      .record(addedAnnotation, z.string())
      .optional()
      .describe("Additional annotations"),
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

/** What a workload sets in its containers, so that a stack cannot. */
export interface Reserved {
  /** Names of environment variables. */
  readonly env?: readonly string[];
  /** Paths of its own files and volumes. */
  readonly paths?: readonly string[];
}

type Settings = z.output<typeof podSettings>;
type PodError = [path: (string | number)[], message: string];

const PROXY_VARIABLES = ["http_proxy", "https_proxy", "no_proxy"];

/** Settings that the API server would refuse, or that would replace what a workload needs. */
function podErrors(settings: Settings, { env = [], paths = [] }: Reserved): PodError[] {
  const { volumes = [], imagePullSecrets = [], proxy } = settings;
  const taken = [...env, ...(proxy ? PROXY_VARIABLES : [])];
  const variables = Object.keys(settings.env ?? {}).filter(
    (name) => taken.includes(name) || taken.includes(name.toLowerCase()),
  );
  const mounted = volumes.map(({ mountPath }) => mountPath);
  const hides = (path: string) =>
    paths.some((own) => own === path || own.startsWith(`${path}/`)) ||
    mounted.filter((other) => other === path).length > 1;
  return [
    ...variables.map(
      (name): PodError => [["env", name], "is set by the platform; choose another name"],
    ),
    ...mounted.flatMap((path, index): PodError[] =>
      hides(path)
        ? [[["volumes", index, "mountPath"], "is in use already; choose another path"]]
        : [],
    ),
    ...(new Set(imagePullSecrets).size < imagePullSecrets.length
      ? [[["imagePullSecrets"], "has a name twice; remove one"] satisfies PodError]
      : []),
  ];
}

/** Checks the pod settings of a workload, and of its variants, against what the workload sets itself. */
export function checkPods(own: Reserved) {
  return (
    { pod: shared, variants = [] }: { pod: Settings; variants?: readonly { pod?: Settings }[] },
    context: z.RefinementCtx,
  ): void => {
    const report = (settings: Settings, at: (string | number)[]) => {
      for (const [path, message] of podErrors(settings, own)) {
        context.addIssue({ code: "custom", path: [...at, "pod", ...path], message });
      }
    };
    report(shared, []);
    for (const [index, variant] of variants.entries()) {
      report(variant.pod ?? {}, ["variants", index]);
    }
  };
}
