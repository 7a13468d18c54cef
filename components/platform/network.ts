import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/**
 * Who may connect to the platform's pods: nobody but the adapter and the ingress controller to Prometheus, and the API
 * server to the adapter.
 */
export function platformNetwork(
  name: string,
  metadata: { namespace: pulumi.Input<string>; labels: Record<string, string> },
  ingressNamespace: string,
  opts: pulumi.CustomResourceOptions,
): void {
  const policy = (suffix: string, spec: k8s.types.input.networking.v1.NetworkPolicySpec) =>
    new k8s.networking.v1.NetworkPolicy(`${name}-${suffix}`, { metadata, spec }, opts);
  const app = (value: string) => ({ matchLabels: { "app.kubernetes.io/name": value } });

  policy("deny", { podSelector: {}, policyTypes: ["Ingress"] });
  policy("prometheus", {
    podSelector: app("prometheus"),
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [
          { podSelector: app("prometheus-adapter") },
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": ingressNamespace } },
          },
        ],
        ports: [{ port: "http" }],
      },
    ],
  });
  // The API server is no pod, so that no selector finds it; the adapter checks who asks.
  policy("adapter", {
    podSelector: app("prometheus-adapter"),
    policyTypes: ["Ingress"],
    ingress: [{ ports: [{ port: "https" }] }],
  });
}
