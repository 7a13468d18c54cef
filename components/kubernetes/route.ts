import type { types } from "@pulumi/kubernetes";
import type { IngressConfig } from "../platform/schema";

/** Annotations and spec of an Ingress that sends all of one host to one Service. */
export function route(
  { className, issuer }: IngressConfig,
  host: string,
  service: string,
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
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: service, port: { name: "http" } } },
              },
            ],
          },
        },
      ],
    },
  };
}
