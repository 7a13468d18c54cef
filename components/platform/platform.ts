import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { externalUrl, type PlatformContract } from "../contract";
import type { ImageSource } from "../images";
import { GATEWAY_API, gatewaySpec } from "../kubernetes/gateway";
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
    const { config, contract, images, owner, retainData } = args;
    const { prometheus, metricsAdapter, devicePlugin, ingress, gateway } = config;
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
    platformNetwork(
      `${name}-network`,
      { namespace: config.namespace, labels: own },
      prometheus.mode === "install" && prometheus.expose ? ingress : undefined,
      inNamespace,
    );

    if (gateway.mode === "install") {
      new k8s.apiextensions.CustomResource(
        `${name}-gateway`,
        {
          apiVersion: GATEWAY_API,
          kind: "Gateway",
          metadata: { ...contract.gateway, labels: own },
          spec: gatewaySpec(gateway.className, ingress.domain, gateway.port),
        },
        inNamespace,
      );
    }

    const common = { namespace: config.namespace, owner, retainData };
    const monitoring: pulumi.Resource[] = [];
    if (prometheus.mode === "install") {
      const image = images.reference("prometheus");
      const args = { ...common, image, settings: prometheus, ingress };
      monitoring.push(new Prometheus(`${name}-prometheus`, args, inNamespace));
      if (prometheus.expose) this.prometheusUrl = externalUrl(ingress, "prometheus");
    }
    const { prometheusUrl } = contract;
    if (metricsAdapter.mode === "install" && prometheusUrl) {
      const image = images.reference("metricsAdapter");
      const args = { ...common, image, settings: metricsAdapter, prometheusUrl };
      // Without Prometheus it would answer, but know no metric.
      const dependsOn = [created, ...monitoring];
      new MetricsAdapter(`${name}-metrics-adapter`, args, { ...child, dependsOn });
    }
    if (devicePlugin.mode === "install") {
      const image = images.reference("devicePlugin");
      const args = {
        ...common,
        namespace: gpuNamespace(config.namespace),
        image,
        settings: devicePlugin,
      };
      new DevicePlugin(`${name}-device-plugin`, args, child);
    }
    this.registerOutputs({ prometheusUrl: this.prometheusUrl });
  }
}
