import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { externalUrl, type PlatformContract } from "../contract";
import { type Identity, labels, selectorLabels } from "../kubernetes/labels";
import { allowEgress, allowIngress, namespace as inNamespace, pods } from "../kubernetes/network";
import { route } from "../kubernetes/route";
import { autoscalerSpec } from "./autoscaling";
import { podTemplate, SERVING_PORT } from "./model-pod";
import type { ModelConfig } from "./schema";

export interface ModelServiceArgs {
  namespace: string;
  image: pulumi.Input<string>;
  owner: string;
  settings: ModelConfig;
  /** The tracking server's address, whose registry the model is loaded from. */
  trackingUri: string;
  platform: PlatformContract;
}

/** Serves a registered model over HTTP, with as many pods as its requests need. */
export class ModelService extends pulumi.ComponentResource {
  /** Where predictions are asked for, from outside or, without an Ingress, inside the cluster. */
  readonly url: string;

  constructor(name: string, args: ModelServiceArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:ModelService", name, {}, opts);
    const { namespace, settings, platform } = args;
    const { autoscale } = settings;
    const identity: Identity = {
      name: "model-service",
      instance: settings.name,
      component: "model-service",
      owner: args.owner,
    };
    const metadata = { namespace, labels: labels(identity) };
    const selector = selectorLabels(identity);
    const child = { parent: this };

    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
    const deployment = new k8s.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          // An autoscaler owns the number of pods; written here as well, every update would reset it.
          ...(autoscale.kind === "none" && { replicas: autoscale.replicas }),
          selector: { matchLabels: selector },
          strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          progressDeadlineSeconds: settings.rolloutSeconds,
          revisionHistoryLimit: 3,
          template: podTemplate(args, identity, account.metadata.name),
        },
      },
      // A little longer than the rollout may take, so that the Deployment's own reason shows.
      { ...child, customTimeouts: timeouts(settings.rolloutSeconds + 60) },
    );
    const afterPods = { ...child, dependsOn: [deployment] };
    new k8s.policy.v1.PodDisruptionBudget(
      `${name}-budget`,
      // Not minAvailable: with a single pod that would forbid draining its node for ever.
      { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: selector } } },
      child,
    );
    new k8s.networking.v1.NetworkPolicy(
      `${name}-callers`,
      { metadata, spec: allowIngress(selector, callers(args), SERVING_PORT) },
      child,
    );
    if (!settings.ingress) {
      new k8s.networking.v1.NetworkPolicy(
        `${name}-team`,
        // The team's own pods may connect to nothing that is not named.
        { metadata, spec: allowEgress({}, [pods(selector)], [SERVING_PORT]) },
        child,
      );
    }
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name: settings.name },
        spec: { selector, ports: [{ name: "http", port: 80, targetPort: "http" }] },
      },
      afterPods,
    );
    if (autoscale.kind !== "none") {
      new k8s.autoscaling.v2.HorizontalPodAutoscaler(
        `${name}-autoscaler`,
        { metadata, spec: autoscalerSpec(deployment.metadata.name, autoscale) },
        child,
      );
    }
    this.url = `http://${settings.name}.${namespace}.svc`;
    if (settings.ingress) {
      const host = `${settings.name}.${namespace}.${platform.ingress.domain}`;
      const { annotations, spec } = route(platform.ingress, host, settings.name, "/predict");
      new k8s.networking.v1.Ingress(
        `${name}-ingress`,
        { metadata: { ...metadata, annotations }, spec },
        { ...child, dependsOn: [service] },
      );
      this.url = externalUrl(platform.ingress, settings.name, namespace);
    }
    this.registerOutputs({ url: this.url });
  }
}

function timeouts(seconds: number): pulumi.CustomTimeouts {
  return { create: `${seconds}s`, update: `${seconds}s` };
}

/** For predictions the ingress controller or, without an Ingress, any pod of the cluster; for metrics Prometheus. */
function callers({ settings, platform }: ModelServiceArgs) {
  return [
    settings.ingress ? inNamespace(platform.ingress.namespace) : { namespaceSelector: {} },
    ...(platform.monitoringNamespace ? [inNamespace(platform.monitoringNamespace)] : []),
  ];
}
