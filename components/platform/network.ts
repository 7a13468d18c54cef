import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { allowCertificateSolvers, denyIngress } from "../kubernetes/network";
import type { Metadata } from "../kubernetes/workload";
import { checksHosts } from "./certificates/issuers";
import type { IngressConfig } from "./ingress/schema";

/**
 * Network policies of a platform's namespace: its pods admit no connection that the policy of a component does not allow.
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
  policy("deny", denyIngress());
  if (ingress && checksHosts(ingress.issuer)) {
    policy("solvers", allowCertificateSolvers(ingress.namespace));
  }
}

/** The network policies of components that the platform itself declared in earlier versions: the old names by the new ones. */
const MOVED: Readonly<Record<string, string>> = {
  "prometheus-callers": "network-prometheus",
  "metrics-adapter-callers": "network-adapter",
};

/** Gives the network policies that moved into components aliases, so that an update does not replace them. */
export function aliasesOfPolicies(
  name: string,
  platform: pulumi.Resource,
): pulumi.ResourceTransformation {
  return ({ name: policy, props, opts }) => {
    const before = MOVED[policy.slice(`${name}-`.length)];
    return before
      ? { props, opts: { ...opts, aliases: [{ name: `${name}-${before}`, parent: platform }] } }
      : undefined;
  };
}
