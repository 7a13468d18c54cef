import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selectorLabels } from "../kubernetes/labels";
import { requirements } from "../kubernetes/resources";
import { restrictedContainer, restrictedPod, scratch } from "../kubernetes/security";
import { spread } from "../kubernetes/spread";
import { seconds } from "../vocabulary";
import { adapterConfig } from "./adapter-config";
import type { Install } from "./schema";
import { servingCertificate } from "./serving-certificate";

const PORT = 6443;
const SERVICE = "metrics-adapter";

export interface MetricsAdapterArgs {
  namespace: string;
  image: string;
  owner: string;
  settings: Install<"metricsAdapter">;
  /** Prometheus inside the cluster. */
  prometheusUrl: string;
}

/**
 * Serves the rate of predictions of each pod as the custom metric that autoscaling by request rate asks for, and nothing
 * else: the rules that prometheus-adapter ships with would publish every series of the cluster.
 */
export class MetricsAdapter extends pulumi.ComponentResource {
  constructor(name: string, args: MetricsAdapterArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:MetricsAdapter", name, {}, opts);
    const { namespace, settings } = args;
    const identity: Identity = {
      name: "prometheus-adapter",
      instance: SERVICE,
      component: "monitoring",
      owner: args.owner,
    };
    const metadata = { namespace, labels: labels(identity) };
    const child = { parent: this };

    const account = apiServerAccount(name, metadata, child);
    const { secretName, caBundle } = servingCertificate(
      name,
      metadata,
      [`${SERVICE}.${namespace}.svc`, `${SERVICE}.${namespace}.svc.cluster.local`],
      settings.certificateSerial,
      child,
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata, data: { "config.yaml": adapterConfig(settings.rateWindow) } },
      child,
    );
    const deployment = new k8s.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: settings.replicas,
          selector: { matchLabels: selectorLabels(identity) },
          strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template: {
            metadata: { labels: labels(identity) },
            spec: {
              ...podSpec(args, account.metadata.name, config.metadata.name, secretName),
              topologySpreadConstraints: spread(selectorLabels(identity)),
            },
          },
        },
      },
      child,
    );
    new k8s.policy.v1.PodDisruptionBudget(
      `${name}-budget`,
      {
        metadata,
        spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(identity) } },
      },
      child,
    );
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name: SERVICE },
        spec: {
          selector: selectorLabels(identity),
          ports: [{ name: "https", port: 443, targetPort: "https" }],
        },
      },
      child,
    );
    new k8s.apiregistration.v1.APIService(
      `${name}-api`,
      {
        metadata: {
          name: "v1beta1.custom.metrics.k8s.io",
          labels: metadata.labels,
          annotations: { "pulumi.com/waitFor": "condition=Available" },
        },
        spec: {
          group: "custom.metrics.k8s.io",
          version: "v1beta1",
          groupPriorityMinimum: 100,
          versionPriority: 100,
          caBundle,
          service: { namespace, name: service.metadata.name, port: 443 },
        },
      },
      // An APIService without its server blocks the deletion of every namespace: it has to go first.
      { ...child, dependsOn: [deployment] },
    );
    this.registerOutputs({});
  }
}

/** The rights of an aggregated API server: to check who asks, and to see the pods it is asked about. */
function apiServerAccount(
  name: string,
  metadata: { namespace: string; labels: Record<string, string> },
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ServiceAccount {
  const account = new k8s.core.v1.ServiceAccount(
    `${name}-account`,
    { metadata, automountServiceAccountToken: false },
    opts,
  );
  const subjects = [
    { kind: "ServiceAccount", name: account.metadata.name, namespace: metadata.namespace },
  ];
  const apiGroup = "rbac.authorization.k8s.io";
  const pods = new k8s.rbac.v1.ClusterRole(
    `${name}-pods`,
    {
      metadata: { labels: metadata.labels },
      rules: [
        { apiGroups: [""], resources: ["pods", "namespaces"], verbs: ["get", "list", "watch"] },
      ],
    },
    opts,
  );
  new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-pods`,
    {
      metadata: { labels: metadata.labels },
      roleRef: { apiGroup, kind: "ClusterRole", name: pods.metadata.name },
      subjects,
    },
    opts,
  );
  new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-delegated-authentication`,
    {
      metadata: { labels: metadata.labels },
      roleRef: { apiGroup, kind: "ClusterRole", name: "system:auth-delegator" },
      subjects,
    },
    opts,
  );
  new k8s.rbac.v1.RoleBinding(
    `${name}-front-proxy`,
    {
      metadata: { namespace: "kube-system", labels: metadata.labels },
      roleRef: { apiGroup, kind: "Role", name: "extension-apiserver-authentication-reader" },
      subjects,
    },
    opts,
  );
  return account;
}

function podSpec(
  { image, settings, prometheusUrl }: MetricsAdapterArgs,
  serviceAccountName: pulumi.Input<string>,
  config: pulumi.Input<string>,
  certificate: pulumi.Input<string>,
): k8s.types.input.core.v1.PodSpec {
  const tmp = scratch("16Mi");
  const probe = (path: string) => ({ httpGet: { path, port: "https", scheme: "HTTPS" } });
  // It may not be shorter than the interval (the adapter refuses to start); long, it survives a restart of Prometheus.
  const maxAge = Math.max(300, seconds(settings.relistInterval));
  return {
    serviceAccountName,
    automountServiceAccountToken: true,
    securityContext: restrictedPod(),
    containers: [
      {
        name: "adapter",
        image,
        args: [
          `--secure-port=${PORT}`,
          "--tls-cert-file=/certificate/tls.crt",
          "--tls-private-key-file=/certificate/tls.key",
          "--cert-dir=/tmp",
          "--config=/config/config.yaml",
          `--prometheus-url=${prometheusUrl}`,
          // The names of hundreds of pods do not fit into a URL.
          "--prometheus-verb=POST",
          `--metrics-relist-interval=${settings.relistInterval}`,
          `--metrics-max-age=${maxAge}s`,
        ],
        ports: [{ name: "https", containerPort: PORT }],
        startupProbe: { ...probe("/livez"), periodSeconds: 1, failureThreshold: 60 },
        livenessProbe: { ...probe("/livez"), periodSeconds: 10, failureThreshold: 6 },
        readinessProbe: { ...probe("/readyz"), periodSeconds: 2, failureThreshold: 3 },
        resources: requirements({
          cpu: "50m",
          cpuLimit: "1",
          memory: "256Mi",
          ephemeralStorage: "64Mi",
        }),
        securityContext: restrictedContainer(),
        volumeMounts: [
          { name: "config", mountPath: "/config", readOnly: true },
          { name: "certificate", mountPath: "/certificate", readOnly: true },
          tmp.mount,
        ],
      },
    ],
    volumes: [
      { name: "config", configMap: { name: config } },
      { name: "certificate", secret: { secretName: certificate } },
      tmp.volume,
    ],
  };
}
