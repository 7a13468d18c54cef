import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { allowCertificateSolvers, namespace, pods } from "../kubernetes/network";
import type { Metadata } from "../kubernetes/workload";
import type { IngressConfig } from "./ingress/schema";

/**
 * Network policies of a platform: the adapter and the ingress controller may connect to Prometheus, the API server to the
 * adapter, and no other peer.
 * @param ingress how the UI of Prometheus is served; undefined if it is not
 */
export function platformNetwork(
  name: string,
  metadata: Metadata,
  ingress: IngressConfig | undefined,
  opts: pulumi.CustomResourceOptions,
): void {
  const policy = (suffix: string, spec: k8s.types.input.networking.v1.NetworkPolicySpec) =>
    new k8s.networking.v1.NetworkPolicy(`${name}-${suffix}`, { metadata, spec }, opts);
  const app = (value: string) => ({ "app.kubernetes.io/name": value });

  policy("deny", { podSelector: {}, policyTypes: ["Ingress"] });
  policy("prometheus", {
    podSelector: { matchLabels: app("prometheus") },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [pods(app("prometheus-adapter")), ...(ingress ? [namespace(ingress.namespace)] : [])],
        ports: [{ port: "http" }],
      },
    ],
  });
  if (ingress?.issuer) {
    policy("solvers", allowCertificateSolvers(ingress.namespace));
  }
  // The API server is not a pod, so no selector matches it. The adapter authenticates its callers.
  policy("adapter", {
    podSelector: { matchLabels: app("prometheus-adapter") },
    policyTypes: ["Ingress"],
    ingress: [{ ports: [{ port: "https" }] }],
  });
}
