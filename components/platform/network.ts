import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { allowCertificateSolvers, namespace, pods } from "../kubernetes/network";
import type { IngressConfig } from "./schema";

/**
 * Who may connect to the platform's pods: nobody but the adapter and the ingress controller to Prometheus, and the API
 * server to the adapter.
 * @param ingress how Prometheus' UI is served, where it is
 */
export function platformNetwork(
  name: string,
  metadata: { namespace: pulumi.Input<string>; labels: Record<string, string> },
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
  if (ingress?.issuer) policy("solvers", allowCertificateSolvers(ingress.namespace));
  // The API server is no pod, so that no selector finds it; the adapter checks who asks.
  policy("adapter", {
    podSelector: { matchLabels: app("prometheus-adapter") },
    policyTypes: ["Ingress"],
    ingress: [{ ports: [{ port: "https" }] }],
  });
}
