import { z } from "zod";
import {
  cpu,
  duration,
  existingName,
  existingNamespace,
  hostname,
  httpUrl,
  labelKey,
  labelValue,
  memory,
  namespaceName,
  port,
  seconds,
  storage,
} from "../vocabulary";
import { MODEL_SCRAPE_INTERVAL } from "./prometheus-config";

/** A rate needs two samples of each counter: seconds. */
export const SHORTEST_RATE = 2 * seconds(MODEL_SCRAPE_INTERVAL);

/** How HTTP reaches what the stack serves. */
export const ingressSchema = z.strictObject({
  className: existingName
    .optional()
    .describe("Ingress class; default: the cluster's default class"),
  namespace: existingNamespace
    .default("traefik")
    .describe("Namespace of the ingress controller's pods, let through to what it serves"),
  domain: hostname
    .default("localhost")
    .describe("Domain below which hosts are named: MODEL.TEAM.DOMAIN"),
  port: port.optional().describe("Port of the URLs that are printed; default: that of the scheme"),
  issuer: existingName
    .optional()
    .describe("cert-manager ClusterIssuer; set, every Ingress is served with TLS"),
});

const off = z.strictObject({ mode: z.literal("off").describe("Do without it") });

const prometheusSchema = z.discriminatedUnion("mode", [
  z.strictObject({
    mode: z.literal("install").describe("Run it"),
    retention: duration.default("7d").describe("How long samples are kept"),
    storage: storage.default("10Gi").describe("Size of its volume"),
    storageClass: existingName.optional().describe("Storage class; default: the cluster's"),
    cpu: cpu.default("100m").describe("CPU it asks for"),
    memory: memory.default("512Mi").describe("Memory it asks for and is held to"),
    expose: z
      .boolean()
      .default(false)
      .describe("Serve its UI through the Ingress, to everybody who reaches it"),
  }),
  z.strictObject({
    mode: z.literal("existing").describe("The cluster has it"),
    url: httpUrl("http://prometheus.monitoring.svc:9090").describe(
      "Its address inside the cluster",
    ),
    namespace: existingNamespace
      .default("monitoring")
      .describe("Namespace of its pods, let through to the metrics of model services"),
  }),
  off,
]);

const metricsAdapterSchema = z.discriminatedUnion("mode", [
  z.strictObject({
    mode: z.literal("install").describe("Run it"),
    replicas: z.int().min(1).max(10).default(1).describe("Pods"),
    // Four scrapes of 5 s: the shortest window that survives lost ones, at the price of reacting within one.
    rateWindow: duration
      .refine(
        (text) => seconds(text) >= SHORTEST_RATE,
        `is too short: a rate needs two scrapes; write ${SHORTEST_RATE}s or more`,
      )
      .default("20s")
      .describe("Window of the request rate"),
    relistInterval: duration.default("10s").describe("How often it looks for new metric names"),
    certificateSerial: z
      .int()
      .min(1)
      .default(1)
      .describe("Raise it to replace the serving certificate"),
  }),
  z.strictObject({
    mode: z
      .literal("existing")
      .describe("The cluster has one that serves inference_requests_per_second"),
  }),
  off,
]);

const devicePluginSchema = z.discriminatedUnion("mode", [
  z.strictObject({
    mode: z.literal("install").describe("Run it"),
    timeSlicing: z
      .int()
      .min(2)
      .max(48)
      .optional()
      .describe("How many containers share one GPU in turns; default: none"),
    nodeSelector: z
      .record(labelKey, labelValue)
      .prefault({})
      .describe("Labels of the nodes it runs on, beside those of GPU nodes"),
    migStrategy: z
      .enum(["none", "single", "mixed"])
      .default("none")
      .describe("How MIG devices are named"),
  }),
  z.strictObject({
    mode: z.literal("existing").describe("The cluster has it, for example from the GPU operator"),
  }),
  off,
]);

const gatewaySchema = z.discriminatedUnion("mode", [
  z.strictObject({
    mode: z.literal("install").describe("Run it"),
    className: existingName.describe("GatewayClass"),
    port: port.default(80).describe("Port of its listener; for Traefik that of an entry point"),
  }),
  z.strictObject({
    mode: z.literal("existing").describe("The cluster has it"),
    name: existingName.describe("Its name"),
    namespace: existingNamespace.describe("Its namespace"),
    sectionName: existingName.optional().describe("Its listener; default: all that fit the host"),
    proxyNamespace: existingNamespace
      .optional()
      .describe("Namespace of its proxies' pods, let through to models; default: the Gateway's"),
  }),
  off,
]);

/** What a cluster has once. Each part is `install`, `existing` or `off`. */
export const platformSchema = z
  .strictObject({
    namespace: namespaceName
      .default("ml-platform")
      .describe("Namespace of the platform's own parts"),
    ingress: ingressSchema.prefault({}).describe("How HTTP reaches the cluster"),
    gateway: gatewaySchema
      .prefault({ mode: "off" })
      .describe("The Gateway that splits requests between variants of a model"),
    prometheus: prometheusSchema.prefault({ mode: "install" }).describe("Prometheus"),
    metricsAdapter: metricsAdapterSchema
      .prefault({ mode: "install" })
      .describe("The custom metrics API, which autoscaling by request rate asks"),
    devicePlugin: devicePluginSchema
      .prefault({ mode: "off" })
      .describe("NVIDIA's device plugin, which offers GPUs to pods"),
  })
  .superRefine(({ gateway, ingress, prometheus, metricsAdapter }, context) => {
    if (gateway.mode === "install" && ingress.issuer) {
      context.addIssue({
        code: "custom",
        path: ["gateway", "mode"],
        message:
          "the Gateway that is installed has no certificates, but ingress.issuer asks for TLS; bring one that has, with mode existing",
      });
    }
    if (metricsAdapter.mode === "install" && prometheus.mode === "off") {
      context.addIssue({
        code: "custom",
        path: ["metricsAdapter", "mode"],
        message:
          "the adapter has no Prometheus to ask; set prometheus.mode to install or existing, or this to off",
      });
    }
  });

/** The device plugin's namespace, beside that of the other parts. */
export function gpuNamespace(namespace: string): string {
  return `${namespace}-gpu`;
}

export type PlatformConfig = z.output<typeof platformSchema>;
export type IngressConfig = PlatformConfig["ingress"];
/** The settings of one part in mode `install`. */
export type Install<Part extends keyof PlatformConfig> = Extract<
  PlatformConfig[Part],
  { mode: "install" }
>;
