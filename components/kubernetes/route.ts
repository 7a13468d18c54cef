import type { types } from "@pulumi/kubernetes";
import type { IngressConfig } from "../platform/schema";

/**
 * Annotations and spec of an Ingress that sends one host to one Service.
 * @param paths what of the host is served, each with all below it
 */
export function route(
  { className, issuer }: IngressConfig,
  host: string,
  service: string,
  paths: readonly string[] = ["/"],
): { annotations: Record<string, string>; spec: types.input.networking.v1.IngressSpec } {
  return {
    annotations: issuer ? { "cert-manager.io/cluster-issuer": issuer } : {},
    spec: {
      ...(className && { ingressClassName: className }),
      ...(issuer && { tls: [{ hosts: [host], secretName: `${service}-tls` }] }),
      rules: [
        {
          host,
          http: {
            paths: paths.map((path) => ({
              path,
              pathType: "Prefix",
              backend: { service: { name: service, port: { name: "http" } } },
            })),
          },
        },
      ],
    },
  };
}
