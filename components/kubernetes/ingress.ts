import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** How an Ingress is served. */
export interface IngressClass {
  /** Default: the cluster's default class. */
  readonly className?: string | undefined;
  /** ClusterIssuer of cert-manager that signs its certificate. Default: no TLS. */
  readonly issuer?: string | undefined;
}

/**
 * Annotations and spec of an Ingress that sends the requests of one host to one Service.
 * @param paths path prefixes that are served
 */
export function ingressFor(
  { className, issuer }: IngressClass,
  host: pulumi.Input<string>,
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
