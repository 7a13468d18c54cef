import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Identity } from "../../kubernetes/labels";
import { Workload } from "../../kubernetes/workload";
import { autoscalerSpec } from "./autoscaling";
import { type ModelPodArgs, modelPod } from "./model-pod";

export interface ModelVariantArgs extends ModelPodArgs {
  readonly namespace: pulumi.Input<string>;
  readonly identity: Identity;
}

/** One version of a model: a Deployment, its autoscaler, and its disruption budget. */
export class ModelVariant extends pulumi.ComponentResource {
  constructor(name: string, args: ModelVariantArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:ModelVariant", name, {}, opts);
    const { autoscale, rolloutSeconds } = args.settings;
    const child = { parent: this };
    const workload = new Workload(name, args.namespace, args.identity, child);
    const { metadata, selector } = workload;

    const deployment = new k8s.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          // With an autoscaler the field is not set, as an update would reset the number of pods.
          ...(autoscale.kind === "none" && { replicas: autoscale.replicas }),
          selector: { matchLabels: selector },
          strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          progressDeadlineSeconds: rolloutSeconds,
          revisionHistoryLimit: 3,
          template: modelPod(args, workload),
        },
      },
      // Longer than the maximum duration of the rollout, so that the Deployment's own reason is shown.
      { ...child, customTimeouts: timeouts(rolloutSeconds + 60) },
    );
    workload.disruptionBudget();
    workload.allowProxies(args.settings.pod.proxy);
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
