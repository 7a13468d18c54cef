import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { TRACKING_CLIENT } from "../../kubernetes/labels";
import {
  allowEgress,
  allowIngress,
  namespace as inNamespace,
  pods,
} from "../../kubernetes/network";
import { outputOf } from "../../kubernetes/output";
import { container, podTemplate } from "../../kubernetes/pod";
import { httpProbes } from "../../kubernetes/probes";
import { gpuTolerations } from "../../kubernetes/resources";
import { scratch } from "../../kubernetes/security";
import { volume } from "../../kubernetes/volume";
import { Workload } from "../../kubernetes/workload";
import { addressOf } from "../../platform/ingress/address";
import { ingressSchema } from "../../platform/ingress/schema";
import { TRACKING_PORT, TRACKING_SERVICE, TRACKING_URI } from "./address";
import { type TrackingConfig, trackingSettings } from "./schema";
import { neededSecrets, serverEnvironment, storePorts } from "./stores";

/** Passwords of a tracking server's stores. */
export interface TrackingSecrets {
  /** Required with `postgres`. */
  readonly postgresPassword?: pulumi.Input<string>;
  /** Required with `s3`. */
  readonly s3AccessKeyId?: pulumi.Input<string>;
  /** Required with `s3`. */
  readonly s3SecretAccessKey?: pulumi.Input<string>;
}

export interface TrackingServerArgs extends z.input<typeof trackingSettings> {
  /** Namespace, which exists. */
  readonly namespace: pulumi.Input<string>;
  /** Image with MLflow 3. */
  readonly image: pulumi.Input<string>;
  /** Default: none. */
  readonly secrets?: TrackingSecrets;
  /** How its UI is served, if `expose` is true. Default: the cluster's default Ingress class, below `localhost`. */
  readonly ingress?: z.input<typeof ingressSchema>;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /** Protects the volume of runs and artifacts from deletion. Default: true. */
  readonly retainData?: boolean;
}

/** The MLflow server of a team: runs, artifacts, and the registry from which model services load models. */
export class TrackingServer extends pulumi.ComponentResource {
  /** URL inside the namespace. */
  readonly uri: pulumi.Output<string>;
  /** URL of its UI, if the Ingress serves it. */
  readonly externalUrl: pulumi.Output<string> | undefined;

  constructor(name: string, args: TrackingServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:TrackingServer", name, {}, opts);
    const { namespace, image, secrets = {}, ingress, owner = "ml-platform", ...rest } = args;
    const { retainData = true, ...own } = rest;
    const settings = parseArgs(trackingSettings, own, name);
    const missing = neededSecrets(settings).filter((key) => !secrets[key]);
    if (missing.length > 0) {
      throw new pulumi.RunError(
        `${name}: secrets.${missing.join(", secrets.")}: is missing; set it`,
      );
    }
    const outside = parseArgs(ingressSchema, ingress, name);
    const address = pulumi
      .output(namespace)
      .apply((team) => addressOf(outside, TRACKING_SERVICE, team));
    const externalUrl = settings.expose ? address.url : undefined;
    const origins = settings.expose
      ? address.apply(({ url, httpUrl }) => [url, ...(httpUrl ? [httpUrl] : [])])
      : undefined;
    const child = { parent: this };
    const identity = {
      name: TRACKING_SERVICE,
      instance: TRACKING_SERVICE,
      component: "tracking",
      owner,
    };
    const workload = new Workload(name, namespace, identity, child);

    const account = workload.serviceAccount();
    const store = volume(
      `${name}-store`,
      workload.metadata,
      { size: settings.storage, storageClass: settings.storageClass },
      { ...child, protect: retainData },
    );
    const template = serverPod(image, settings, workload, {
      env: serverEnvironment(settings, [TRACKING_SERVICE, address.host], origins),
      account: account.metadata.name,
      credentials: credentialsSecret(name, secrets, workload, child)?.metadata.name,
      store: store.metadata.name,
    });
    const deployment = workload.recreatedDeployment(template);
    workload.service(TRACKING_SERVICE, { name: "http", port: TRACKING_PORT }, [deployment]);
    allowConnections(workload, settings, outside.namespace);
    if (settings.expose) {
      workload.ingress(outside, address.host, TRACKING_SERVICE);
    }
    this.uri = outputOf(this, TRACKING_URI);
    this.externalUrl = externalUrl && outputOf(this, externalUrl);
    this.registerOutputs({ uri: this.uri, externalUrl: this.externalUrl });
  }
}

/** Admits the team's clients, and the ingress controller if the UI is exposed; lets the server connect to its stores. */
function allowConnections(
  workload: Workload,
  settings: TrackingConfig,
  ingressNamespace: string,
): void {
  const { selector } = workload;
  const callers = [
    pods(TRACKING_CLIENT),
    ...(settings.expose ? [inNamespace(ingressNamespace)] : []),
  ];
  const port = TRACKING_PORT;
  workload.networkPolicy("callers", allowIngress(selector, callers, port));
  workload.networkPolicy("clients", allowEgress(TRACKING_CLIENT, [pods(selector)], [port]));
  const ports = storePorts(settings);
  if (ports.length > 0) {
    workload.networkPolicy("stores", allowEgress(selector, [], ports));
  }
  workload.allowProxies(settings.pod.proxy);
}

/** A Secret with the environment variables that libpq and the AWS SDK read; undefined without passwords. */
function credentialsSecret(
  name: string,
  { postgresPassword, s3AccessKeyId, s3SecretAccessKey }: TrackingSecrets,
  { metadata }: Workload,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret | undefined {
  const stringData = {
    ...(postgresPassword && { PGPASSWORD: postgresPassword }),
    ...(s3AccessKeyId && { AWS_ACCESS_KEY_ID: s3AccessKeyId }),
    ...(s3SecretAccessKey && { AWS_SECRET_ACCESS_KEY: s3SecretAccessKey }),
  };
  if (Object.keys(stringData).length === 0) {
    return undefined;
  }
  return new k8s.core.v1.Secret(`${name}-credentials`, { metadata, stringData }, opts);
}

interface ServerPod {
  readonly env: Record<string, pulumi.Input<string>>;
  readonly account: pulumi.Input<string>;
  readonly credentials: pulumi.Input<string> | undefined;
  readonly store: pulumi.Input<string>;
}

function serverPod(
  image: pulumi.Input<string>,
  { resources, pod }: TrackingConfig,
  { labels }: Workload,
  { env, account, credentials, store }: ServerPod,
): k8s.types.input.core.v1.PodTemplateSpec {
  const tmp = scratch("256Mi");
  return podTemplate({
    labels,
    account,
    settings: pod,
    tolerations: gpuTolerations(resources),
    containers: [
      container({
        name: "mlflow",
        image,
        args: ["--host=0.0.0.0", `--port=${TRACKING_PORT}`, "--workers=1"],
        env,
        ...(credentials && { envFrom: [{ secretRef: { name: credentials } }] }),
        ports: [{ name: "http", containerPort: TRACKING_PORT }],
        ...httpProbes({ live: "/health", ready: "/health" }, "http", 180),
        resources,
        volumeMounts: [{ name: "store", mountPath: "/mlflow" }, tmp.mount],
      }),
    ],
    volumes: [{ name: "store", persistentVolumeClaim: { claimName: store } }, tmp.volume],
  });
}
