import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selectorLabels } from "../kubernetes/labels";
import { httpProbes } from "../kubernetes/probes";
import { parseQuantity } from "../kubernetes/quantity";
import { requirements } from "../kubernetes/resources";
import { route } from "../kubernetes/route";
import { restrictedContainer, restrictedPod } from "../kubernetes/security";
import { volume } from "../kubernetes/volume";
import { prometheusConfig } from "./prometheus-config";
import type { IngressConfig, Install } from "./schema";

const PORT = 9090;

export interface PrometheusArgs {
  namespace: string;
  image: string;
  owner: string;
  settings: Install<"prometheus">;
  ingress: IngressConfig;
  /** Protects the volume of samples. */
  retainData: boolean;
}

/** Collects the metrics of every pod that asks for it by annotation; model services every five seconds. */
export class Prometheus extends pulumi.ComponentResource {
  constructor(name: string, args: PrometheusArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:Prometheus", name, {}, opts);
    const { namespace, settings, ingress } = args;
    const identity: Identity = {
      name: "prometheus",
      instance: "prometheus",
      component: "monitoring",
      owner: args.owner,
    };
    const metadata = { namespace, labels: labels(identity) };
    const child = { parent: this };

    const account = discoveryAccount(name, metadata, child);
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata, data: { "prometheus.yml": prometheusConfig() } },
      child,
    );
    const samples = volume(
      `${name}-samples`,
      metadata,
      { size: settings.storage, storageClass: settings.storageClass },
      { ...child, protect: args.retainData },
    );
    new k8s.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          selector: { matchLabels: selectorLabels(identity) },
          // Two of them cannot write one volume.
          strategy: { type: "Recreate" },
          template: {
            metadata: { labels: labels(identity) },
            spec: podSpec(args, account.metadata.name, config.metadata.name, samples.metadata.name),
          },
        },
      },
      child,
    );
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name: "prometheus" },
        spec: {
          selector: selectorLabels(identity),
          ports: [{ name: "http", port: PORT, targetPort: "http" }],
        },
      },
      child,
    );
    if (settings.expose) {
      const { annotations, spec } = route(ingress, `prometheus.${ingress.domain}`, "prometheus");
      new k8s.networking.v1.Ingress(
        `${name}-ingress`,
        { metadata: { ...metadata, annotations }, spec },
        child,
      );
    }
    this.registerOutputs({});
  }
}

/** Four fifths of the volume, as Prometheus writes sizes: a full volume would stop it, and all scaling by request rate. */
export function samplesLimit(storage: string): string {
  return `${Math.floor((parseQuantity(storage) * 0.8) / 2 ** 10)}KB`;
}

/** A service account that may see which pods there are, in all namespaces, and nothing else. */
function discoveryAccount(
  name: string,
  metadata: { namespace: string; labels: Record<string, string> },
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ServiceAccount {
  const account = new k8s.core.v1.ServiceAccount(
    `${name}-account`,
    { metadata, automountServiceAccountToken: false },
    opts,
  );
  const role = new k8s.rbac.v1.ClusterRole(
    `${name}-discovery`,
    {
      metadata: { labels: metadata.labels },
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
    },
    opts,
  );
  new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-discovery`,
    {
      metadata: { labels: metadata.labels },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: role.metadata.name,
      },
      subjects: [
        { kind: "ServiceAccount", name: account.metadata.name, namespace: metadata.namespace },
      ],
    },
    opts,
  );
  return account;
}

function podSpec(
  { image, settings }: PrometheusArgs,
  serviceAccountName: pulumi.Input<string>,
  config: pulumi.Input<string>,
  samples: pulumi.Input<string>,
): k8s.types.input.core.v1.PodSpec {
  const { cpu, memory, retention, storage } = settings;
  return {
    serviceAccountName,
    // The one pod of the two that asks the API server; the account itself hands out no tokens.
    automountServiceAccountToken: true,
    securityContext: restrictedPod(),
    terminationGracePeriodSeconds: 60,
    containers: [
      {
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
        resources: requirements({ cpu, memory, cpuLimit: "2", ephemeralStorage: "256Mi" }),
        securityContext: restrictedContainer(),
        volumeMounts: [
          { name: "config", mountPath: "/etc/prometheus", readOnly: true },
          { name: "samples", mountPath: "/prometheus" },
        ],
      },
    ],
    volumes: [
      { name: "config", configMap: { name: config } },
      { name: "samples", persistentVolumeClaim: { claimName: samples } },
    ],
  };
}
