import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../config/errors";
import type { ImageSource } from "../images/source";
import { labels } from "../kubernetes/labels";
import { podSecurityNamespace } from "../kubernetes/namespace";
import { MetricsAdapter } from "./autoscaling/metrics-adapter";
import { CertManager } from "./certificates/cert-manager";
import { certManagerImages } from "./certificates/feature";
import { CA_ISSUER, Issuers } from "./certificates/issuers";
import type { PlatformContract } from "./contract";
import { DevicePlugin } from "./gpu/device-plugin";
import { gpuNamespace } from "./gpu/feature";
import { platformGateway } from "./ingress/gateway";
import { redirectMiddleware } from "./ingress/redirect";
import { installed } from "./mode";
import { Prometheus } from "./monitoring/prometheus";
import { aliasesOfPolicies, platformNetwork } from "./network";
import { contractOf, type PlatformConfig, platformSchema } from "./schema";

export interface PlatformArgs extends z.input<typeof platformSchema> {
  /** Source of the images of installed components. */
  readonly imageSource: ImageSource;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /** Protects namespaces and volumes from deletion. Default: true. */
  readonly retainData?: boolean;
}

type Common = Pick<Required<PlatformArgs>, "imageSource" | "owner" | "retainData">;

/** The components that a cluster has once: Prometheus, the custom metrics API, a Gateway, the device plugin. */
export class Platform extends pulumi.ComponentResource {
  /** What it offers to teams. */
  readonly contract: PlatformContract;
  /** Undefined if it is not installed. */
  readonly prometheus: Prometheus | undefined;
  /** Certificate (PEM) of the platform's own CA, if it signs the certificates of Ingresses. Clients must trust it. */
  readonly certificateAuthority: pulumi.Output<string> | undefined;

  constructor(name: string, args: PlatformArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:Platform", name, {}, opts);
    const { imageSource, owner = "ml-platform", retainData = true, ...settings } = args;
    const config = parseArgs(platformSchema, settings, name);
    const common = { imageSource, owner, retainData };
    const child = { parent: this };
    this.contract = contractOf(config);

    const own = labels({ name, instance: name, component: "monitoring", owner });
    const metadata = { namespace: config.namespace, labels: own };
    const created = podSecurityNamespace(`${name}-namespace`, config.namespace, own, "restricted", {
      ...child,
      protect: retainData,
    });
    const inNamespace = { ...child, dependsOn: [created] };
    const exposed = installed(config.prometheus)?.expose ? this.contract.ingress : undefined;
    platformNetwork(`${name}-network`, metadata, exposed, inNamespace);
    entrances(name, config, this.contract, metadata, inNamespace);
    const issuers = certificates(name, config, common, child);
    this.certificateAuthority =
      this.contract.ingress.issuer === CA_ISSUER ? issuers?.certificateAuthority : undefined;
    const transformations = [aliasesOfPolicies(name, this)];
    const component = { ...inNamespace, transformations };
    this.prometheus = monitoring(name, config, this.contract, common, component);
    // An installed Prometheus must be ready first: without it the adapter would serve, but would have no metric.
    const url = this.prometheus?.url ?? this.contract.prometheusUrl;
    autoscaling(name, config, url, common, issuers, component);
    gpus(name, config, common, child);
    this.registerOutputs({
      contract: this.contract,
      certificateAuthority: this.certificateAuthority,
    });
  }
}

/** What sends requests from outside to the namespaces: the redirect of HTTP, and a Gateway. */
function entrances(
  name: string,
  { ingress, gateway }: PlatformConfig,
  contract: PlatformContract,
  metadata: { namespace: string; labels: Record<string, string> },
  opts: pulumi.CustomResourceOptions,
): void {
  redirectMiddleware(`${name}-redirect`, ingress, metadata, opts);
  const settings = installed(gateway);
  // With TLS each route has a Gateway of its own.
  if (settings && contract.gateway && !ingress.issuer) {
    const { domain } = ingress;
    const { labels } = metadata;
    platformGateway(`${name}-gateway`, { ...contract.gateway, ...settings, domain, labels }, opts);
  }
}

/** cert-manager, if it is installed, and the platform's issuers in it. */
function certificates(
  name: string,
  { ingress, gateway, certManager }: PlatformConfig,
  { imageSource, owner, retainData }: Common,
  opts: pulumi.ComponentResourceOptions,
): Issuers | undefined {
  if (certManager.mode === "off") {
    return undefined;
  }
  const settings = installed(certManager);
  const gatewayApi = gateway.mode !== "off";
  const release =
    settings &&
    new CertManager(
      `${name}-cert-manager`,
      { ...settings, images: certManagerImages(imageSource), gatewayApi, owner, retainData },
      opts,
    );
  const { className, issuer } = ingress;
  const acme = typeof issuer === "object" && "acme" in issuer ? issuer.acme : undefined;
  const namespace = release?.namespace ?? certManager.namespace;
  const args = { namespace, acme, className, owner, retainData };
  return new Issuers(`${name}-issuers`, args, { ...opts, dependsOn: release ? [release] : [] });
}

function monitoring(
  name: string,
  { namespace, prometheus }: PlatformConfig,
  { ingress }: PlatformContract,
  { imageSource, owner, retainData }: Common,
  opts: pulumi.ComponentResourceOptions,
): Prometheus | undefined {
  const settings = installed(prometheus);
  if (!settings) {
    return undefined;
  }
  const image = imageSource.reference("prometheus");
  const args = { ...settings, namespace, image, ingress, owner, retainData };
  return new Prometheus(`${name}-prometheus`, args, opts);
}

function autoscaling(
  name: string,
  { namespace, metricsAdapter }: PlatformConfig,
  prometheusUrl: pulumi.Input<string> | undefined,
  { imageSource, owner }: Common,
  issuers: Issuers | undefined,
  opts: pulumi.ComponentResourceOptions,
): void {
  const settings = installed(metricsAdapter);
  if (!settings || !prometheusUrl) {
    return;
  }
  const image = imageSource.reference("metricsAdapter");
  const args = { ...settings, namespace, image, prometheusUrl, issuer: issuers?.caIssuer, owner };
  new MetricsAdapter(`${name}-metrics-adapter`, args, opts);
}

function gpus(
  name: string,
  { namespace, devicePlugin }: PlatformConfig,
  { imageSource, owner, retainData }: Common,
  opts: pulumi.ComponentResourceOptions,
): void {
  const settings = installed(devicePlugin);
  if (!settings) {
    return;
  }
  const image = imageSource.reference("devicePlugin");
  const args = { ...settings, namespace: gpuNamespace(namespace), image, owner, retainData };
  new DevicePlugin(`${name}-device-plugin`, args, opts);
}
