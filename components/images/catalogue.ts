/** Every third-party image that the platform runs or builds on, with its version. */
export const CATALOGUE = {
  prometheus: "quay.io/prometheus/prometheus:v3.16.0",
  metricsAdapter: "registry.k8s.io/prometheus-adapter/prometheus-adapter:v0.12.0",
  devicePlugin: "nvcr.io/nvidia/k8s-device-plugin:v0.18.0",
  python: "docker.io/library/python:3.13-slim",
} as const;

export type CatalogueEntry = keyof typeof CATALOGUE;
