import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, selectorLabels } from "../kubernetes/labels";
import { autoscalerSpec } from "./autoscaling";
import { podTemplate } from "./model-pod";
import type { ModelConfig } from "./schema";
import type { variantsOf } from "./variants";

export interface ModelVariantArgs {
  namespace: string;
  identity: Identity;
  model: string;
  image: pulumi.Input<string>;
  settings: ReturnType<typeof variantsOf<ModelConfig>>[number];
  /** Name of the account that its pods run as. */
  account: pulumi.Input<string>;
  /** The tracking server's address, whose registry the model is loaded from. */
  trackingUri: string;
}

/** One version of a model: its pods, as many as its own requests need, and how many of them may be missing. */
export class ModelVariant extends pulumi.ComponentResource {
  constructor(name: string, args: ModelVariantArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:ModelVariant", name, {}, opts);
    const { namespace, identity } = args;
    const { autoscale, rolloutSeconds } = args.settings;
    const metadata = { namespace, labels: labels(identity) };
    const selector = { matchLabels: selectorLabels(identity) };
    const child = { parent: this };

    const deployment = new k8s.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          // An autoscaler owns the number of pods; written here as well, every update would reset it.
          ...(autoscale.kind === "none" && { replicas: autoscale.replicas }),
          selector,
          strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          progressDeadlineSeconds: rolloutSeconds,
          revisionHistoryLimit: 3,
          template: podTemplate(args),
        },
      },
      // A little longer than the rollout may take, so that the Deployment's own reason shows.
      { ...child, customTimeouts: timeouts(rolloutSeconds + 60) },
    );
    new k8s.policy.v1.PodDisruptionBudget(
      `${name}-budget`,
      // Not minAvailable: with a single pod that would forbid draining its node for ever.
      { metadata, spec: { maxUnavailable: 1, selector } },
      child,
    );
    if (autoscale.kind !== "none") {
      new k8s.autoscaling.v2.HorizontalPodAutoscaler(
        `${name}-autoscaler`,
        { metadata, spec: autoscalerSpec(deployment.metadata.name, autoscale) },
        child,
      );
    }
    this.registerOutputs({});
  }
}

function timeouts(seconds: number): pulumi.CustomTimeouts {
  return { create: `${seconds}s`, update: `${seconds}s` };
}
