import * as k8s from "@pulumi/kubernetes";
import { CertManager as CertManagerRelease } from "@pulumi/kubernetes-cert-manager";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { labels, PART_OF } from "../../kubernetes/labels";
import { podSecurityNamespace } from "../../kubernetes/namespace";
import { allowEveryone, denyIngress } from "../../kubernetes/network";
import type { Metadata } from "../../kubernetes/workload";
import { type CertManagerImages, certManagerArgs, selectorOf } from "./chart-values";
import { certManagerSettings } from "./schema";

/** The port of the webhook's pods. */
const WEBHOOK_PORT = 10_250;

export interface CertManagerArgs extends z.input<typeof certManagerSettings> {
  /** Images of cert-manager 1.21, by digest. */
  readonly images: CertManagerImages;
  /** Whether Gateways get certificates too; the CRDs of the Gateway API must be installed. Default: false. */
  readonly gatewayApi?: boolean;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /**
   * Protects the namespace from deletion, and keeps the CRDs, and so every certificate in the cluster, when cert-manager is
   * removed. Default: true.
   */
  readonly retainData?: boolean;
}

/**
 * cert-manager, by its chart. Everything that needs it must depend on it: it is ready when its webhook answers. The chart is
 * one Helm release, whose objects a preview does not show; the tests check them with the policies.
 */
export class CertManager extends pulumi.ComponentResource {
  /** Its namespace, where the Secrets of ClusterIssuers are. */
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:CertManager", name, {}, opts);
    const { images, gatewayApi = false, owner = "ml-platform", retainData = true, ...own } = args;
    const settings = parseArgs(certManagerSettings, own, name);
    const child = { parent: this };
    const identity = { name: "cert-manager", instance: "cert-manager", component: "tls", owner };
    const objectLabels = labels(identity);
    const created = podSecurityNamespace(
      `${name}-namespace`,
      settings.namespace,
      objectLabels,
      "restricted",
      { ...child, protect: retainData },
    );
    this.namespace = created.metadata.name;
    const metadata = { namespace: this.namespace, labels: objectLabels };
    webhookNetwork(name, metadata, child);
    for (const component of ["controller", "webhook", "cainjector"]) {
      new k8s.policy.v1.PodDisruptionBudget(
        `${name}-${component}-budget`,
        {
          metadata,
          spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(component) } },
        },
        child,
      );
    }
    const podLabels = { ...PART_OF, "ml-platform/owner": owner };
    const chart = { ...settings, images, gatewayApi, keepCrds: retainData, labels: podLabels };
    const kubernetes = this.getProvider("kubernetes:core/v1:Namespace");
    new CertManagerRelease(name, certManagerArgs(chart), {
      ...child,
      // Its objects are created in another process, which inherits no provider.
      ...(kubernetes && { providers: { kubernetes } }),
      dependsOn: [created],
    });
    this.registerOutputs({ namespace: this.namespace });
  }
}

/** The API server calls the webhook. Nobody calls the others. */
function webhookNetwork(
  name: string,
  metadata: Metadata,
  opts: pulumi.CustomResourceOptions,
): void {
  const policy = (suffix: string, spec: k8s.types.input.networking.v1.NetworkPolicySpec) =>
    new k8s.networking.v1.NetworkPolicy(`${name}-${suffix}`, { metadata, spec }, opts);
  policy("deny", denyIngress());
  policy("webhook", allowEveryone(selectorOf("webhook"), WEBHOOK_PORT));
}
