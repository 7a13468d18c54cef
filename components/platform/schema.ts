import { z } from "zod";
import { collect, schemasOf } from "../config/features";
import { namespaceName } from "../config/types";
import type { CatalogueEntry } from "../images/catalogue";
import { contractSchema, type PlatformContract } from "./contract";
import type { PlatformFeature } from "./feature";
import { PLATFORM_FEATURES } from "./features";

/** The platform of a cluster. */
export const platformSchema = z
  .strictObject({
    namespace: namespaceName.default("ml-platform").describe("Namespace of the platform"),
    ...schemasOf(PLATFORM_FEATURES),
  })
  .superRefine(
    ({ namespace, gateway, ingress, certManager, prometheus, metricsAdapter }, context) => {
      if (gateway.mode === "install" && ingress.issuer && !gateway.httpsPort) {
        context.addIssue({
          code: "custom",
          path: ["gateway", "httpsPort"],
          message:
            "is missing: with ingress.issuer a Gateway is served with TLS; set it to 443 or, for Traefik, to the port of an entry point",
        });
      }
      if (gateway.mode === "install" && gateway.httpsPort === gateway.port) {
        context.addIssue({
          code: "custom",
          path: ["gateway", "httpsPort"],
          message: "is the port of HTTP too; choose another one",
        });
      }
      const taken = { [namespace]: "the platform", [ingress.namespace]: "the ingress controller" };
      if (certManager.mode === "install" && taken[certManager.namespace]) {
        context.addIssue({
          code: "custom",
          path: ["certManager", "namespace"],
          message: `is the namespace of ${taken[certManager.namespace]}; choose another name`,
        });
      }
      if (typeof ingress.issuer === "object" && certManager.mode === "off") {
        context.addIssue({
          code: "custom",
          path: ["ingress", "issuer"],
          message:
            "is created in cert-manager; set certManager.mode to install or existing, or write the name of an existing ClusterIssuer",
        });
      }
      if (metricsAdapter.mode === "install" && prometheus.mode === "off") {
        context.addIssue({
          code: "custom",
          path: ["metricsAdapter", "mode"],
          message:
            "the adapter needs Prometheus; set prometheus.mode to install or existing, or this key to off",
        });
      }
    },
  );

export type PlatformConfig = z.output<typeof platformSchema>;

const FEATURES: Readonly<Record<string, PlatformFeature<z.ZodType>>> = PLATFORM_FEATURES;

/** What a platform with this configuration offers to teams. */
export function contractOf(config: PlatformConfig): PlatformContract {
  const { namespace } = config;
  const offers = collect(FEATURES, config, (feature, settings) =>
    feature.contract ? [feature.contract(settings, namespace)] : [],
  );
  return contractSchema.parse(Object.assign({ namespace }, ...offers));
}

/** The images that a platform with this configuration runs. */
export function platformImages(config: PlatformConfig): CatalogueEntry[] {
  return collect(FEATURES, config, (feature, settings) => feature.images?.(settings));
}

/** The namespaces of a platform, which no team may have. */
export function platformNamespaces(contract: PlatformContract): string[] {
  const others = Object.values(FEATURES).flatMap((feature) => feature.namespaces?.(contract) ?? []);
  return [contract.namespace, ...others];
}
