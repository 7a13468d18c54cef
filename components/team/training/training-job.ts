import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { TRACKING_CLIENT } from "../../kubernetes/labels";
import { container, podTemplate } from "../../kubernetes/pod";
import { gpuTolerations } from "../../kubernetes/resources";
import { scratch } from "../../kubernetes/security";
import { Workload } from "../../kubernetes/workload";
import { allowTracking, checkedTrackingUri } from "../tracking/client";
import { LONGEST_JOB, type TrainingConfig, trainingSettings } from "./schema";

/** Where the volume of training data is mounted. */
export const DATA_DIR = "/app/data";

export interface TrainingJobArgs extends z.input<typeof trainingSettings> {
  /** Namespace, which exists. */
  readonly namespace: pulumi.Input<string>;
  /** Image with the modules `training.train` and `training.sample_data`. */
  readonly image: pulumi.Input<string>;
  /** PersistentVolumeClaim with the training data. Default: an empty volume that ends with the pod. */
  readonly dataClaim?: pulumi.Input<string>;
  /** URL of the tracking server. Default: that of the namespace. */
  readonly trackingUri?: pulumi.Input<string>;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
}

/**
 * Trains a model once and registers it. The pod template of a Job is immutable: a changed image or setting makes a new Job, and
 * without a change the Job stays.
 */
export class TrainingJob extends pulumi.ComponentResource {
  constructor(name: string, args: TrainingJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:TrainingJob", name, {}, opts);
    const { namespace, image, dataClaim, ...rest } = args;
    const { owner = "ml-platform", trackingUri: uri, ...own } = rest;
    const trackingUri = checkedTrackingUri(name, uri);
    const settings = parseArgs(trainingSettings, own, name);
    if (name.length > LONGEST_JOB) {
      throw new pulumi.RunError(
        `${name}: the name of the component has more than ${LONGEST_JOB} characters, which is too long for a Job; shorten it`,
      );
    }
    const child = { parent: this };
    const identity = { name: "training", instance: settings.name, component: "training", owner };
    const workload = new Workload(name, namespace, identity, child);
    const account = workload.serviceAccount();
    workload.allowProxies(settings.pod.proxy);
    allowTracking(workload, trackingUri, settings.pod.proxy !== undefined);
    const pod = { image, settings, dataClaim, trackingUri, account: account.metadata.name };
    new k8s.batch.v1.Job(
      name,
      {
        metadata: workload.metadata,
        spec: {
          activeDeadlineSeconds: settings.deadlineSeconds,
          backoffLimit: settings.retries,
          template: trainingPod(pod, workload),
        },
      },
      {
        ...child,
        // The volume is ReadWriteOnce, and a failed Job does not run again until it is replaced.
        deleteBeforeReplace: true,
        // Pulumi waits until the Job is complete: longer than the deadline of the Job, so that the Job's own reason is shown.
        customTimeouts: { create: `${settings.deadlineSeconds + 60}s` },
      },
    );
    this.registerOutputs({});
  }
}

interface TrainingPod {
  readonly image: pulumi.Input<string>;
  readonly settings: TrainingConfig;
  readonly dataClaim: pulumi.Input<string> | undefined;
  readonly trackingUri: pulumi.Input<string>;
  readonly account: pulumi.Input<string>;
}

function trainingPod(
  { image, settings, dataClaim, trackingUri, account }: TrainingPod,
  { labels }: Workload,
): k8s.types.input.core.v1.PodTemplateSpec {
  const tmp = scratch("512Mi");
  const env = {
    DATA_DIR,
    EXPERIMENT_NAME: settings.name,
    HOME: "/tmp",
    MLFLOW_TRACKING_URI: trackingUri,
    MODEL_ALIAS: settings.alias,
    MODEL_NAME: settings.model,
  };
  const step = (name: string, module: string) =>
    container({
      name,
      image,
      command: ["python", "-m", module],
      env,
      resources: settings.resources,
      volumeMounts: [{ name: "data", mountPath: DATA_DIR }, tmp.mount],
    });
  const source = dataClaim ? { persistentVolumeClaim: { claimName: dataClaim } } : { emptyDir: {} };
  return podTemplate({
    labels: { ...labels, ...TRACKING_CLIENT },
    annotations: { "ml-platform/run": `${settings.run}` },
    account,
    settings: settings.pod,
    directUrls: [trackingUri],
    tolerations: gpuTolerations(settings.resources),
    ...(settings.sampleData && { initContainers: [step("sample-data", "training.sample_data")] }),
    containers: [step("train", "training.train")],
    volumes: [{ name: "data", ...source }, tmp.volume],
    spec: { restartPolicy: "Never" },
  });
}
