import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { goDuration, seconds } from "../../config/types";
import { allowEveryone } from "../../kubernetes/network";
import { container, podTemplate } from "../../kubernetes/pod";
import { scratch } from "../../kubernetes/security";
import { spread } from "../../kubernetes/spread";
import { Workload } from "../../kubernetes/workload";
import { adapterConfig, METRICS_ADAPTER } from "./adapter-config";
import { apiServerRights } from "./api-server-rights";
import { metricsAdapterSettings } from "./schema";
import { issued, type ServingCertificate, selfMade } from "./serving-certificate";

const PORT = 6443;
const SERVICE = "metrics-adapter";

export interface MetricsAdapterArgs extends z.input<typeof metricsAdapterSettings> {
  /** Namespace, which exists. It is a plain value, as the name of a resource in the state contains it. */
  readonly namespace: string;
  /** Image of prometheus-adapter 0.12. */
  readonly image: pulumi.Input<string>;
  /** URL of Prometheus inside the cluster. */
  readonly prometheusUrl: pulumi.Input<string>;
  /** ClusterIssuer of cert-manager that signs its serving certificate. Default: a certificate that is made here. */
  readonly issuer?: pulumi.Input<string> | undefined;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
}

/**
 * Serves the rate of predictions of each pod as a custom metric, and no other metric: the rules that prometheus-adapter has
 * by default would publish every series of the cluster.
 */
export class MetricsAdapter extends pulumi.ComponentResource {
  constructor(name: string, args: MetricsAdapterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:MetricsAdapter", name, {}, opts);
    const { namespace, image, prometheusUrl, issuer, owner = "ml-platform", ...own } = args;
    const settings = parseArgs(metricsAdapterSettings, own, name);
    const child = { parent: this };
    const identity = {
      name: METRICS_ADAPTER,
      instance: SERVICE,
      component: "monitoring",
      owner,
    };
    const workload = new Workload(name, namespace, identity, child);

    const account = workload.serviceAccount();
    apiServerRights(name, workload, account, child);
    const hosts = [
      `${SERVICE}.${namespace}.svc`,
      `${SERVICE}.${namespace}.svc.cluster.local`,
    ] as const;
    const metadata = { namespace, labels: workload.labels };
    const certificate = issuer
      ? issued(name, metadata, hosts, issuer, child)
      : selfMade(name, metadata, hosts, settings.certificateSerial, child);
    const config = workload.configFiles({ "config.yaml": adapterConfig(settings.rateWindow) });
    const template = adapterPod({ image, prometheusUrl, settings }, workload, {
      account: account.metadata.name,
      config: config.metadata.name,
      certificate: certificate.secretName,
    });
    const deployment = new k8s.apps.v1.Deployment(
      name,
      {
        metadata: workload.metadata,
        spec: {
          replicas: settings.replicas,
          selector: { matchLabels: workload.selector },
          strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template,
        },
      },
      child,
    );
    workload.disruptionBudget();
    // The adapter authenticates its callers.
    workload.networkPolicy("callers", allowEveryone(workload.selector, PORT));
    const service = workload.service(SERVICE, { name: "https", port: 443 });
    customMetricsApi(name, workload.labels, certificate, service, {
      ...child,
      // An APIService without its server blocks the deletion of every namespace: it must be deleted first.
      dependsOn: [deployment],
    });
    this.registerOutputs({});
  }
}

/** Makes a Service the server of the custom metrics API. */
function customMetricsApi(
  name: string,
  labels: Record<string, string>,
  { annotations, caBundle }: ServingCertificate,
  { metadata: { namespace, name: service } }: k8s.core.v1.Service,
  opts: pulumi.CustomResourceOptions,
): void {
  new k8s.apiregistration.v1.APIService(
    `${name}-api`,
    {
      metadata: {
        name: "v1beta1.custom.metrics.k8s.io",
        labels,
        annotations: {
          "pulumi.com/waitFor": "condition=Available",
          // cert-manager, if it was used before, is the owner of the field.
          ...(caBundle && { "pulumi.com/patchForce": "true" }),
          ...annotations,
        },
      },
      spec: {
        group: "custom.metrics.k8s.io",
        version: "v1beta1",
        groupPriorityMinimum: 100,
        versionPriority: 100,
        ...(caBundle && { caBundle }),
        service: { namespace, name: service, port: 443 },
      },
    },
    opts,
  );
}

interface AdapterArgs {
  readonly image: pulumi.Input<string>;
  readonly prometheusUrl: pulumi.Input<string>;
  readonly settings: z.output<typeof metricsAdapterSettings>;
}

function adapterPod(
  { image, prometheusUrl, settings }: AdapterArgs,
  { labels, selector }: Workload,
  names: Record<"account" | "config" | "certificate", pulumi.Input<string>>,
): k8s.types.input.core.v1.PodTemplateSpec {
  const tmp = scratch("16Mi");
  const probe = (path: string) => ({ httpGet: { path, port: "https", scheme: "HTTPS" } });
  // The adapter does not start with less than the interval. Five minutes outlast a restart of Prometheus.
  const maxAge = Math.max(300, seconds(settings.relistInterval));
  return podTemplate({
    labels,
    account: names.account,
    settings: settings.pod,
    directUrls: [prometheusUrl],
    containers: [
      container({
        name: "adapter",
        image,
        args: [
          `--secure-port=${PORT}`,
          "--tls-cert-file=/certificate/tls.crt",
          "--tls-private-key-file=/certificate/tls.key",
          "--cert-dir=/tmp",
          "--config=/config/config.yaml",
          pulumi.interpolate`--prometheus-url=${prometheusUrl}`,
          // The names of hundreds of pods do not fit into a URL.
          "--prometheus-verb=POST",
          `--metrics-relist-interval=${goDuration(settings.relistInterval)}`,
          `--metrics-max-age=${maxAge}s`,
        ],
        ports: [{ name: "https", containerPort: PORT }],
        startupProbe: { ...probe("/livez"), periodSeconds: 1, failureThreshold: 60 },
        livenessProbe: { ...probe("/livez"), periodSeconds: 10, failureThreshold: 6 },
        readinessProbe: { ...probe("/readyz"), periodSeconds: 2, failureThreshold: 3 },
        resources: { cpu: "50m", cpuLimit: "1", memory: "256Mi", ephemeralStorage: "64Mi" },
        volumeMounts: [
          { name: "config", mountPath: "/config", readOnly: true },
          { name: "certificate", mountPath: "/certificate", readOnly: true },
          tmp.mount,
        ],
      }),
    ],
    volumes: [
      { name: "config", configMap: { name: names.config } },
      { name: "certificate", secret: { secretName: names.certificate } },
      tmp.volume,
    ],
    spec: {
      // It calls the API server to authenticate and authorize requests.
      automountServiceAccountToken: true,
      // The adapter reads no such variables, and a change would restart every adapter that runs.
      enableServiceLinks: undefined,
      topologySpreadConstraints: spread(selector),
    },
  });
}
