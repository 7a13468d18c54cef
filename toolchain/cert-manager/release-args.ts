import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3";
import type { CertManagerArgs } from "@pulumi/kubernetes-cert-manager";
import { Output } from "@pulumi/pulumi";

/** All inputs that are values of the chart, by their name there. */
const CHART_VALUES: Record<Exclude<keyof CertManagerArgs, "helmOptions">, true> = {
  affinity: true,
  cainjector: true,
  clusterResourceNamespace: true,
  containerSecurityContext: true,
  deploymentAnnotations: true,
  extraArgs: true,
  extraEnv: true,
  extraVolumeMounts: true,
  extraVolumes: true,
  featureGates: true,
  global: true,
  http_proxy: true,
  https_proxy: true,
  image: true,
  ingressShim: true,
  installCRDs: true,
  no_proxy: true,
  nodeSelector: true,
  podAnnotations: true,
  podDnsConfig: true,
  podDnsPolicy: true,
  podLabels: true,
  prometheus: true,
  replicaCount: true,
  resources: true,
  securityContext: true,
  serviceAccount: true,
  serviceAnnotations: true,
  serviceLabels: true,
  startupapicheck: true,
  strategy: true,
  tolerations: true,
  webhook: true,
};

/**
 * The arguments of the component's Release, as in version 0.2.0 of Pulumi's plugin.
 *
 * - An input takes precedence over the value of the same name in `helmOptions.values`, even if the input is not set: such a
 *   value is ignored. Values that are not inputs (`crds`, `acmesolver`, `imageRegistry`) are used.
 * - `helmOptions.valueYamlFiles` is ignored.
 * - The repository always has its default. For a chart in a folder or an OCI registry `repositoryOpts.repo` must be an empty
 *   string.
 *
 * @throws Error for an output: the official plugin refuses most of them
 */
export function releaseArgs(inputs: CertManagerArgs): ReleaseArgs {
  refuseOutputs(inputs, "args");
  const { helmOptions = {}, ...given } = inputs;
  const { valueYamlFiles: _, values, repositoryOpts, ...options } = helmOptions;
  const others = Object.entries(values ?? {}).filter(([name]) => !(name in CHART_VALUES));
  return {
    chart: "cert-manager",
    ...options,
    repositoryOpts: { repo: "https://charts.jetstack.io", ...repositoryOpts },
    values: { ...Object.fromEntries(others), ...given },
  };
}

/** Throws if the inputs contain an output of a resource, or a secret. */
function refuseOutputs(value: unknown, path: string): void {
  if (Output.isInstance(value)) {
    throw new Error(`CertManager: ${path} is an output. Give a plain value.`);
  }
  if (value === null || typeof value !== "object") {
    return;
  }
  for (const [key, part] of Object.entries(value)) {
    refuseOutputs(part, `${path}.${key}`);
  }
}
