import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { externalUrl, type PlatformContract } from "../contract";
import type { ImageSource } from "../images";
import { GATEWAY_API, GATEWAY_READY, gatewaySpec } from "../kubernetes/gateway";
import { labels, podSecurityLabels } from "../kubernetes/labels";
import { DevicePlugin } from "./device-plugin";
import { MetricsAdapter } from "./metrics-adapter";
import { platformNetwork } from "./network";
import { Prometheus } from "./prometheus";
import { gpuNamespace, type PlatformConfig } from "./schema";

export interface PlatformArgs {
  config: PlatformConfig;
  /** What the configuration promises to teams. */
  contract: PlatformContract;
  images: ImageSource;
  owner: string;
  /** Protects namespaces and volumes. */
  retainData: boolean;
}

/** What a cluster has once: metrics, the custom metrics API, GPUs. */
export class Platform extends pulumi.ComponentResource {
  /** The address of Prometheus' UI, where the Ingress serves it. */
  readonly prometheusUrl: string | undefined;

  constructor(name: string, args: PlatformArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:Platform", name, {}, opts);
    const { config, contract, owner, retainData } = args;
    const { prometheus, ingress, devicePlugin } = config;
    const child = { parent: this };

    const own = labels({ name, instance: name, component: "monitoring", owner });
    const created = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: config.namespace,
          labels: { ...own, ...podSecurityLabels("restricted") },
        },
      },
      { ...child, protect: retainData },
    );
    const inNamespace = { ...child, dependsOn: [created] };
    const exposed = prometheus.mode === "install" && prometheus.expose;
    const metadata = { namespace: config.namespace, labels: own };
    platformNetwork(`${name}-network`, metadata, exposed ? ingress : undefined, inNamespace);
    platformGateway(`${name}-gateway`, config, contract, own, inNamespace);
    monitoring(name, args, inNamespace);
    if (devicePlugin.mode === "install") {
      const namespace = gpuNamespace(config.namespace);
      const image = args.images.reference("devicePlugin");
      const gpus = { namespace, owner, retainData, image, settings: devicePlugin };
      new DevicePlugin(`${name}-device-plugin`, gpus, child);
    }
    if (exposed) this.prometheusUrl = externalUrl(ingress, "prometheus");
    this.registerOutputs({ prometheusUrl: this.prometheusUrl });
  }
}

/** The Gateway that splits requests between variants of models, where it is to be installed. */
function platformGateway(
  id: string,
  { gateway, ingress }: PlatformConfig,
  contract: PlatformContract,
  own: Record<string, string>,
  opts: pulumi.CustomResourceOptions,
): void {
  if (gateway.mode !== "install") return;
  new k8s.apiextensions.CustomResource(
    id,
    {
      apiVersion: GATEWAY_API,
      kind: "Gateway",
      metadata: { ...contract.gateway, labels: own, annotations: GATEWAY_READY },
      spec: gatewaySpec(gateway.className, ingress.domain, gateway.port),
    },
    opts,
  );
}

/** Prometheus, and the custom metrics API that asks it. */
function monitoring(
  name: string,
  { config, contract, images, owner, retainData }: PlatformArgs,
  opts: pulumi.ComponentResourceOptions & { dependsOn: pulumi.Resource[] },
): void {
  const { prometheus, metricsAdapter, ingress } = config;
  const common = { namespace: config.namespace, owner, retainData };
  const before = [...opts.dependsOn];
  if (prometheus.mode === "install") {
    const image = images.reference("prometheus");
    const args = { ...common, image, settings: prometheus, ingress };
    // Without it the adapter would answer, but know no metric.
    before.push(new Prometheus(`${name}-prometheus`, args, opts));
  }
  const { prometheusUrl } = contract;
  if (metricsAdapter.mode === "install" && prometheusUrl) {
    const image = images.reference("metricsAdapter");
    const args = { ...common, image, settings: metricsAdapter, prometheusUrl };
    new MetricsAdapter(`${name}-metrics-adapter`, args, { ...opts, dependsOn: before });
  }
}
