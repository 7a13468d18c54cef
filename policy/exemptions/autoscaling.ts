import type { BuiltInExemption } from "./built-in";

/** What the metrics adapter needs. */
export const AUTOSCALING_EXEMPTIONS: readonly BuiltInExemption[] = [
  {
    component: "mlplatform:platform:MetricsAdapter",
    object: "Deployment/*/*-metrics-adapter",
    rules: ["service-account-token"],
    reason:
      "The adapter asks the API server to authenticate and authorize its callers, and for the pods that a query names.",
  },
  {
    component: "mlplatform:platform:MetricsAdapter",
    object: "RoleBinding/kube-system/*-front-proxy",
    rules: ["own-namespace"],
    reason:
      "The API server publishes the CA of its requests to aggregated APIs only in a ConfigMap in kube-system.",
  },
  {
    component: "mlplatform:platform:MetricsAdapter",
    object: "NetworkPolicy/*/*-metrics-adapter-callers",
    rules: ["open-ingress"],
    reason:
      "The API server calls the adapter and is not a pod, so no selector matches it. The adapter authenticates its callers.",
  },
];
