import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { namespace, pods } from "../kubernetes/network";

/**
 * Who may connect to the platform's pods: nobody but the adapter and the ingress controller to Prometheus, and the API
 * server to the adapter.
 * @param ingressNamespace the ingress controller's, where it serves Prometheus' UI
 */
export function platformNetwork(
  name: string,
  metadata: { namespace: pulumi.Input<string>; labels: Record<string, string> },
  ingressNamespace: string | undefined,
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
        from: [
          pods(app("prometheus-adapter")),
          ...(ingressNamespace ? [namespace(ingressNamespace)] : []),
        ],
        ports: [{ port: "http" }],
      },
    ],
  });
  // The API server is no pod, so that no selector finds it; the adapter checks who asks.
  policy("adapter", {
    podSelector: { matchLabels: app("prometheus-adapter") },
    policyTypes: ["Ingress"],
    ingress: [{ ports: [{ port: "https" }] }],
  });
}
