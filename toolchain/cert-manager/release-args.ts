import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3";
import type { CertManagerArgs } from "@pulumi/kubernetes-cert-manager";
import { Output } from "@pulumi/pulumi";

/** Every input that is a value of the chart, by its name there. */
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
 * What the component gives to its Release, as Pulumi's own plugin of version 0.2.0 does.
 *
 * - An input wins over the value of the same name in `helmOptions.values`, even an input that is not given: there such a value
 *   is lost. Values that are no input (`crds`, `acmesolver`, `imageRegistry`) arrive.
 * - `helmOptions.valueYamlFiles` is ignored.
 * - The repository has its default whatever the chart is. For a chart in a folder or an OCI registry `repositoryOpts.repo` must
 *   be an empty text.
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

/** Throws where a value that comes of a resource, or a secret, is part of the inputs. */
function refuseOutputs(value: unknown, path: string): void {
  if (Output.isInstance(value)) {
    throw new Error(`CertManager: ${path} is an output. Give a plain value.`);
  }
  if (value === null || typeof value !== "object") return;
  for (const [key, part] of Object.entries(value)) refuseOutputs(part, `${path}.${key}`);
}
