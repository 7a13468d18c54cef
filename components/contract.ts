import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type IngressConfig, ingressSchema, type PlatformConfig } from "./platform/schema";
import type { StackConfig } from "./schema";

/** The metric that autoscaling by request rate asks the custom metrics API for, per pod. */
export const REQUEST_RATE_METRIC = "inference_requests_per_second";

/**
 * What a platform promises to its teams: plain values, so that a team's stack can read them from another stack's
 * outputs, and `Team` never knows which of the two it was.
 */
const contractSchema = z.object({
  /** The platform's own namespace. */
  namespace: z.string(),
  /** Whether the custom metrics API serves {@link REQUEST_RATE_METRIC}. */
  requestRate: z.boolean(),
  /** Prometheus inside the cluster. */
  prometheusUrl: z.string().optional(),
  /** Namespace of the pods that scrape metrics. */
  monitoringNamespace: z.string().optional(),
  /** Whether pods can ask for `nvidia.com/gpu`. */
  gpus: z.boolean(),
  ingress: ingressSchema,
  /** The Gateway that routes attach to, where there is one. */
  gateway: z
    .object({
      name: z.string(),
      namespace: z.string(),
      sectionName: z.string().optional(),
      /** Namespace of its proxies' pods, where it is not the ingress controller's. */
      proxyNamespace: z.string().optional(),
    })
    .optional(),
});

export type PlatformContract = z.output<typeof contractSchema>;
export type GatewayReference = NonNullable<PlatformContract["gateway"]>;

/** The name of the Gateway that the platform installs, in its own namespace. */
const GATEWAY = "ml-platform";

/** The contract that a platform's configuration amounts to. */
export function contractOf({
  namespace,
  prometheus,
  metricsAdapter,
  devicePlugin,
  ingress,
  gateway,
}: PlatformConfig): PlatformContract {
  return {
    namespace,
    requestRate: metricsAdapter.mode !== "off",
    gpus: devicePlugin.mode !== "off",
    ingress,
    ...(gateway.mode === "install" && { gateway: { name: GATEWAY, namespace } }),
    ...(gateway.mode === "existing" && {
      gateway: {
        name: gateway.name,
        namespace: gateway.namespace,
        ...(gateway.sectionName && { sectionName: gateway.sectionName }),
        proxyNamespace: gateway.proxyNamespace ?? gateway.namespace,
      },
    }),
    ...(prometheus.mode === "install" && {
      prometheusUrl: `http://prometheus.${namespace}.svc:9090`,
      monitoringNamespace: namespace,
    }),
    ...(prometheus.mode === "existing" && {
      prometheusUrl: prometheus.url,
      monitoringNamespace: prometheus.namespace,
    }),
  };
}

/**
 * The contract of the platform in this stack or, where a stack holds a team alone, of the one in `platformStack`.
 * @throws pulumi.RunError when that stack has no platform, is not deployed yet, or was by another version
 */
export async function platformContract({
  platform,
  platformStack,
}: Pick<StackConfig, "platform" | "platformStack">): Promise<PlatformContract> {
  if (platform) return contractOf(platform);
  const reference = new pulumi.StackReference(platformStack ?? "");
  const { value } = await reference.getOutputDetails("platform");
  const contract = contractSchema.safeParse(value);
  if (!contract.success) {
    throw new pulumi.RunError(
      `platformStack: ${platformStack} has no output "platform" that this version understands; update it first, or correct the name`,
    );
  }
  return contract.data;
}

/** A name's address from outside, where the platform has an Ingress: `http://model.team.domain:port`. */
export function externalUrl({ issuer, domain, port }: IngressConfig, ...names: string[]): string {
  const host = [...names, domain].join(".");
  return `${issuer ? "https" : "http"}://${host}${port ? `:${port}` : ""}`;
}
