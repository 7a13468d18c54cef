import { z } from "zod";
import { ingressSchema } from "./ingress/schema";

/** The metric that autoscaling by request rate gets from the custom metrics API, for each pod. */
export const REQUEST_RATE_METRIC = "inference_requests_per_second";

/**
 * What a platform offers to teams: plain values, so that a team's stack can read them from the outputs of another stack.
 */
export const contractSchema = z.object({
  /** The platform's namespace. */
  namespace: z.string(),
  /** Whether the custom metrics API serves {@link REQUEST_RATE_METRIC}. */
  requestRate: z.boolean(),
  /** URL of Prometheus inside the cluster. */
  prometheusUrl: z.string().optional(),
  /** Namespace of the pods that scrape metrics. */
  monitoringNamespace: z.string().optional(),
  /** Whether pods can request `nvidia.com/gpu`. */
  gpus: z.boolean(),
  /** Namespace of cert-manager, if the platform installs or uses it. */
  certificatesNamespace: z.string().optional(),
  ingress: ingressSchema,
  /** The Gateway that routes attach to. */
  gateway: z
    .object({
      name: z.string(),
      namespace: z.string(),
      sectionName: z.string().optional(),
      /** Namespace of its proxies' pods. Default: that of the ingress controller. */
      proxyNamespace: z.string().optional(),
      /** How a route's own Gateway is made, if there is an issuer: certificates do not match all hosts of a domain. */
      tls: z.object({ className: z.string(), port: z.int(), httpsPort: z.int() }).optional(),
    })
    .optional(),
});

/** The contract as an argument. The defaults are those of a cluster that has an ingress controller and nothing else. */
export const contractArgs = contractSchema
  .extend({
    namespace: contractSchema.shape.namespace.default("ml-platform"),
    requestRate: contractSchema.shape.requestRate.default(false),
    gpus: contractSchema.shape.gpus.default(false),
  })
  .strict();

export type PlatformContract = z.output<typeof contractSchema>;
export type GatewayReference = NonNullable<PlatformContract["gateway"]>;
