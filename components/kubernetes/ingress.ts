import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** How an Ingress is served. */
export interface IngressClass {
  /** Default: the cluster's default class. */
  readonly className?: string | undefined;
  /** ClusterIssuer of cert-manager that signs its certificate. Default: no TLS. */
  readonly issuer?: string | undefined;
  /** For its controller, or for cert-manager. Default: none. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The annotations from which cert-manager makes the certificate of an Ingress or a Gateway. */
export function certificateAnnotations({
  issuer,
  annotations = {},
}: Pick<IngressClass, "issuer" | "annotations">): Record<string, string> {
  const own = Object.entries(annotations).filter(([key]) =>
    /^(acme\.)?cert-manager\.io\//.test(key),
  );
  return {
    ...(issuer && { "cert-manager.io/cluster-issuer": issuer }),
    ...Object.fromEntries(own),
  };
}

/**
 * Annotations and spec of an Ingress that sends the requests of one host to one Service.
 * @param paths path prefixes that are served
 */
export function ingressFor(
  { className, issuer, annotations }: IngressClass,
  host: pulumi.Input<string>,
  service: string,
  paths: readonly string[] = ["/"],
): { annotations: Record<string, string>; spec: types.input.networking.v1.IngressSpec } {
  return {
    annotations: { ...certificateAnnotations({ issuer }), ...annotations },
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
