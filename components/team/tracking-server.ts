import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config";
import { externalUrl, type PlatformContract } from "../contract";
import { type Identity, labels, selectorLabels, TRACKING_CLIENT } from "../kubernetes/labels";
import { allowEgress, allowIngress, namespace as inNamespace, pods } from "../kubernetes/network";
import { httpProbes } from "../kubernetes/probes";
import { requirements } from "../kubernetes/resources";
import { route } from "../kubernetes/route";
import { restrictedContainer, restrictedPod, scratch } from "../kubernetes/security";
import { volume } from "../kubernetes/volume";
import type { TrackingConfig } from "./schema";
import { serverEnvironment, storePorts } from "./tracking-stores";

/** The tracking server's Service, and with it the name that its clients call it by. */
const SERVICE = "mlflow";
const PORT = 5000;

export interface TrackingServerArgs {
  namespace: string;
  image: pulumi.Input<string>;
  owner: string;
  settings: TrackingConfig;
  secrets: Config["secrets"];
  platform: PlatformContract;
  /** Protects the volume of runs and artifacts. */
  retainData: boolean;
}

/** A team's MLflow: runs, artifacts, and the registry that model services load from. */
export class TrackingServer extends pulumi.ComponentResource {
  /** Its address inside the namespace. */
  readonly uri = `http://${SERVICE}:${PORT}`;
  /** The address of its UI, where the Ingress serves it. */
  readonly url: string | undefined;

  constructor(name: string, args: TrackingServerArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:TrackingServer", name, {}, opts);
    const { namespace, settings, platform } = args;
    const identity: Identity = {
      name: SERVICE,
      instance: SERVICE,
      component: "tracking",
      owner: args.owner,
    };
    const metadata = { namespace, labels: labels(identity) };
    const child = { parent: this };
    const host = `${SERVICE}.${namespace}.${platform.ingress.domain}`;
    if (settings.expose) this.url = externalUrl(platform.ingress, SERVICE, namespace);

    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
    const store = volume(
      `${name}-store`,
      metadata,
      { size: settings.storage, storageClass: settings.storageClass },
      { ...child, protect: args.retainData },
    );
    const stringData = serverCredentials(args.secrets);
    const credentials =
      Object.keys(stringData).length > 0
        ? new k8s.core.v1.Secret(`${name}-credentials`, { metadata, stringData }, child)
        : undefined;
    const deployment = new k8s.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          selector: { matchLabels: selectorLabels(identity) },
          // Two of them cannot write one SQLite file.
          strategy: { type: "Recreate" },
          template: {
            metadata: { labels: labels(identity) },
            spec: podSpec(args, [SERVICE, host], this.url, {
              serviceAccountName: account.metadata.name,
              credentials: credentials?.metadata.name,
              store: store.metadata.name,
            }),
          },
        },
      },
      child,
    );
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name: SERVICE },
        spec: {
          selector: selectorLabels(identity),
          ports: [{ name: "http", port: PORT, targetPort: "http" }],
        },
      },
      { ...child, dependsOn: [deployment] },
    );
    this.connect(name, args, metadata, identity);
    if (settings.expose) {
      const { annotations, spec } = route(platform.ingress, host, SERVICE);
      new k8s.networking.v1.Ingress(
        `${name}-ingress`,
        { metadata: { ...metadata, annotations }, spec },
        child,
      );
    }
    this.registerOutputs({ uri: this.uri, url: this.url });
  }

  /** Lets the team's clients in, the ingress controller where the UI is exposed, and the server out to its stores. */
  private connect(
    name: string,
    { settings, platform }: TrackingServerArgs,
    metadata: { namespace: string; labels: Record<string, string> },
    identity: Identity,
  ): void {
    const policy = (suffix: string, spec: k8s.types.input.networking.v1.NetworkPolicySpec) =>
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${suffix}`,
        { metadata, spec },
        { parent: this },
      );
    const server = selectorLabels(identity);
    const callers = [
      pods(TRACKING_CLIENT),
      ...(settings.expose ? [inNamespace(platform.ingress.namespace)] : []),
    ];
    policy("callers", allowIngress(server, callers, PORT));
    policy("clients", allowEgress(TRACKING_CLIENT, [pods(server)], [PORT]));
    const ports = storePorts(settings);
    if (ports.length > 0) policy("stores", allowEgress(server, [], ports));
  }
}

/** Environment variables that hold secrets, by the names that libpq and the AWS SDK read. */
function serverCredentials(secrets: Config["secrets"]): Record<string, pulumi.Output<string>> {
  const { postgresPassword, s3AccessKeyId, s3SecretAccessKey } = secrets;
  return {
    ...(postgresPassword && { PGPASSWORD: postgresPassword }),
    ...(s3AccessKeyId && { AWS_ACCESS_KEY_ID: s3AccessKeyId }),
    ...(s3SecretAccessKey && { AWS_SECRET_ACCESS_KEY: s3SecretAccessKey }),
  };
}

function podSpec(
  { image, settings }: TrackingServerArgs,
  hosts: string[],
  url: string | undefined,
  names: {
    serviceAccountName: pulumi.Input<string>;
    store: pulumi.Input<string>;
    credentials: pulumi.Input<string> | undefined;
  },
): k8s.types.input.core.v1.PodSpec {
  const tmp = scratch("256Mi");
  return {
    serviceAccountName: names.serviceAccountName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: restrictedPod(),
    containers: [
      {
        name: "mlflow",
        image,
        args: ["--host=0.0.0.0", `--port=${PORT}`, "--workers=1"],
        env: Object.entries(serverEnvironment(settings, hosts, url)).map(([name, value]) => ({
          name,
          value,
        })),
        ...(names.credentials && { envFrom: [{ secretRef: { name: names.credentials } }] }),
        ports: [{ name: "http", containerPort: PORT }],
        ...httpProbes({ live: "/health", ready: "/health" }, "http", 180),
        resources: requirements(settings.resources),
        securityContext: restrictedContainer(),
        volumeMounts: [{ name: "store", mountPath: "/mlflow" }, tmp.mount],
      },
    ],
    volumes: [{ name: "store", persistentVolumeClaim: { claimName: names.store } }, tmp.volume],
  };
}
