import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, TRACKING_CLIENT } from "../kubernetes/labels";
import { gpuTolerations, requirements } from "../kubernetes/resources";
import { restrictedContainer, restrictedPod, scratch } from "../kubernetes/security";
import type { TrainingConfig } from "./schema";

/** Where the volume of training data is mounted. */
export const DATA_DIR = "/app/data";

export interface TrainingJobArgs {
  namespace: string;
  image: pulumi.Input<string>;
  owner: string;
  settings: TrainingConfig;
  /** Claim of the volume of training data. */
  dataClaim: pulumi.Input<string>;
  /** The tracking server's address. */
  trackingUri: string;
}

/**
 * Trains a model once and registers it. A pod's template cannot be changed, so that another image or parameter is another
 * Job, and the same ones are no change: a run is what it was run with.
 */
export class TrainingJob extends pulumi.ComponentResource {
  constructor(name: string, args: TrainingJobArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:TrainingJob", name, {}, opts);
    const { namespace, settings } = args;
    const identity: Identity = {
      name: "training",
      instance: settings.name,
      component: "training",
      owner: args.owner,
    };
    const metadata = { namespace, labels: labels(identity) };
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      { parent: this },
    );
    new k8s.batch.v1.Job(
      name,
      {
        metadata,
        spec: {
          activeDeadlineSeconds: settings.deadlineSeconds,
          backoffLimit: settings.retries,
          template: {
            metadata: {
              labels: { ...labels(identity), ...TRACKING_CLIENT },
              annotations: { "ml-platform/run": `${settings.run}` },
            },
            spec: podSpec(args, account.metadata.name),
          },
        },
      },
      {
        parent: this,
        // Two runs cannot write one volume, and a Job that failed is not tried again until it is replaced.
        deleteBeforeReplace: true,
        // Pulumi waits until the Job has completed: a little longer than the Job may take, so that the Job's own reason shows.
        customTimeouts: { create: `${settings.deadlineSeconds + 60}s` },
      },
    );
    this.registerOutputs({});
  }
}

function podSpec(
  { image, settings, dataClaim, trackingUri }: TrainingJobArgs,
  serviceAccountName: pulumi.Input<string>,
): k8s.types.input.core.v1.PodSpec {
  const tmp = scratch("512Mi");
  const env = {
    DATA_DIR,
    EXPERIMENT_NAME: settings.name,
    HOME: "/tmp",
    MLFLOW_TRACKING_URI: trackingUri,
    MODEL_ALIAS: settings.alias,
    MODEL_NAME: settings.model,
  };
  const container = (step: string, module: string) => ({
    name: step,
    image,
    command: ["python", "-m", module],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    resources: requirements(settings.resources),
    securityContext: restrictedContainer(),
    volumeMounts: [{ name: "data", mountPath: DATA_DIR }, tmp.mount],
  });
  return {
    serviceAccountName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: "Never",
    ...gpuTolerations(settings.resources),
    securityContext: restrictedPod(),
    ...(settings.sampleData && {
      initContainers: [container("sample-data", "training.sample_data")],
    }),
    containers: [container("train", "training.train")],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: dataClaim } }, tmp.volume],
  };
}
