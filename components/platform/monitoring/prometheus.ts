import type { types } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { allowIngress, namespace as inNamespace, pods } from "../../kubernetes/network";
import { outputOf } from "../../kubernetes/output";
import { container, podTemplate } from "../../kubernetes/pod";
import { httpProbes } from "../../kubernetes/probes";
import { parseQuantity } from "../../kubernetes/quantity";
import { volume } from "../../kubernetes/volume";
import { Workload } from "../../kubernetes/workload";
import { METRICS_ADAPTER } from "../autoscaling/adapter-config";
import { addressOf } from "../ingress/address";
import { ingressSchema } from "../ingress/schema";
import { prometheusConfig } from "./prometheus-config";
import { prometheusSettings } from "./schema";

const SERVICE = "prometheus";
const PORT = 9090;

export interface PrometheusArgs extends z.input<typeof prometheusSettings> {
  /** Namespace, which exists. */
  readonly namespace: pulumi.Input<string>;
  /** Image of Prometheus 3. */
  readonly image: pulumi.Input<string>;
  /** How its UI is served, if `expose` is true. Default: the cluster's default Ingress class, at `prometheus.localhost`. */
  readonly ingress?: z.input<typeof ingressSchema>;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /** Protects the volume of samples from deletion. Default: true. */
  readonly retainData?: boolean;
}

/** The URL inside the cluster of the Prometheus in a namespace. */
export function prometheusUrl(namespace: string): string {
  return `http://${SERVICE}.${namespace}.svc:${PORT}`;
}

/**
 * Collects the metrics of every pod that has the annotations for it; those of model services every five seconds. The metrics
 * adapter in its namespace may query it, and no other pod unless a network policy allows it.
 */
export class Prometheus extends pulumi.ComponentResource {
  /** URL inside the cluster. */
  readonly url: pulumi.Output<string>;
  /** URL of its UI, if the Ingress serves it. */
  readonly externalUrl: pulumi.Output<string> | undefined;

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:Prometheus", name, {}, opts);
    const { namespace, image, owner = "ml-platform", retainData = true, ingress, ...own } = args;
    const settings = parseArgs(prometheusSettings, own, name);
    const child = { parent: this };
    const identity = { name: SERVICE, instance: SERVICE, component: "monitoring", owner };
    const workload = new Workload(name, namespace, identity, child);

    const account = workload.serviceAccount();
    workload.allowReading("discovery", ["pods"], account);
    const config = workload.configFiles({ "prometheus.yml": prometheusConfig() });
    const samples = volume(
      `${name}-samples`,
      workload.metadata,
      { size: settings.storage, storageClass: settings.storageClass },
      { ...child, protect: retainData },
    );
    const template = prometheusPod(image, settings, workload, {
      account: account.metadata.name,
      config: config.metadata.name,
      samples: samples.metadata.name,
    });
    workload.recreatedDeployment(template);
    workload.service(SERVICE, { name: "http", port: PORT });
    this.url = outputOf(this, pulumi.output(namespace).apply(prometheusUrl));
    const outside = parseArgs(ingressSchema, ingress, name);
    const clients = [
      pods({ "app.kubernetes.io/name": METRICS_ADAPTER }),
      ...(settings.expose ? [inNamespace(outside.namespace)] : []),
    ];
    workload.networkPolicy("callers", allowIngress(workload.selector, clients, PORT));
    if (settings.expose) {
      const { host, url } = addressOf(outside, SERVICE);
      workload.ingress(outside, host, SERVICE);
      this.externalUrl = outputOf(this, url);
    }
    this.registerOutputs({ url: this.url, externalUrl: this.externalUrl });
  }
}

/** Four fifths of the volume, in Prometheus' units: a full volume would stop it, and all autoscaling by request rate. */
export function samplesLimit(storage: string): string {
  return `${Math.floor((parseQuantity(storage) * 0.8) / 2 ** 10)}KB`;
}

function prometheusPod(
  image: pulumi.Input<string>,
  settings: z.output<typeof prometheusSettings>,
  { labels }: Workload,
  names: Record<"account" | "config" | "samples", pulumi.Input<string>>,
): types.input.core.v1.PodTemplateSpec {
  const { cpu, memory, retention, storage, pod } = settings;
  const cpuLimit = parseQuantity(cpu) > 2 ? cpu : "2";
  return podTemplate({
    labels,
    account: names.account,
    settings: pod,
    containers: [
      container({
        name: "prometheus",
        image,
        args: [
          "--config.file=/etc/prometheus/prometheus.yml",
          "--storage.tsdb.path=/prometheus",
          `--storage.tsdb.retention.time=${retention}`,
          `--storage.tsdb.retention.size=${samplesLimit(storage)}`,
          `--web.listen-address=:${PORT}`,
        ],
        ports: [{ name: "http", containerPort: PORT }],
        ...httpProbes({ live: "/-/healthy", ready: "/-/ready" }, "http", 300),
        resources: { cpu, memory, cpuLimit, ephemeralStorage: "256Mi" },
        volumeMounts: [
          { name: "config", mountPath: "/etc/prometheus", readOnly: true },
          { name: "samples", mountPath: "/prometheus" },
        ],
      }),
    ],
    volumes: [
      { name: "config", configMap: { name: names.config } },
      { name: "samples", persistentVolumeClaim: { claimName: names.samples } },
    ],
    spec: {
      // It calls the API server to discover pods.
      automountServiceAccountToken: true,
      terminationGracePeriodSeconds: 60,
      // Prometheus reads no such variables, and a change would restart every Prometheus that runs.
      enableServiceLinks: undefined,
    },
  });
}
