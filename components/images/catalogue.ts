/** The version of cert-manager: of its chart and of its images. */
export const CERT_MANAGER_VERSION = "v1.21.2";

const certManager = <Name extends string>(name: Name) =>
  `quay.io/jetstack/cert-manager-${name}:${CERT_MANAGER_VERSION}` as const;

/** Every third-party image that the platform runs or builds on, with its version. */
export const CATALOGUE = {
  prometheus: "quay.io/prometheus/prometheus:v3.16.0",
  metricsAdapter: "registry.k8s.io/prometheus-adapter/prometheus-adapter:v0.12.0",
  devicePlugin: "nvcr.io/nvidia/k8s-device-plugin:v0.18.0",
  certManagerController: certManager("controller"),
  certManagerWebhook: certManager("webhook"),
  certManagerCainjector: certManager("cainjector"),
  certManagerAcmesolver: certManager("acmesolver"),
  certManagerStartupapicheck: certManager("startupapicheck"),
  python: "docker.io/library/python:3.13-slim",
} as const;

export type CatalogueEntry = keyof typeof CATALOGUE;
