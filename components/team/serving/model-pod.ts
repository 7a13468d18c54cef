import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { TRACKING_CLIENT } from "../../kubernetes/labels";
import { scrapeAnnotations } from "../../kubernetes/metrics";
import { container, podTemplate } from "../../kubernetes/pod";
import { httpProbes } from "../../kubernetes/probes";
import { gpuTolerations } from "../../kubernetes/resources";
import { scratch } from "../../kubernetes/security";
import { spread } from "../../kubernetes/spread";
import type { Workload } from "../../kubernetes/workload";
import { SERVING_PORT } from "./network";
import type { ModelConfig } from "./schema";
import type { variantsOf } from "./variants";

/** Seconds that a pod serves after its deletion, until every proxy has removed its endpoint. */
const PRE_STOP_SECONDS = 5;
/** Seconds that requests in progress may take after that. */
const DRAIN_SECONDS = 25;

export interface ModelPodArgs {
  /** Name of the registered model. */
  readonly model: string;
  readonly image: pulumi.Input<string>;
  readonly settings: ReturnType<typeof variantsOf<ModelConfig>>[number];
  /** Name of the service account. */
  readonly account: pulumi.Input<string>;
  /** URL of the tracking server, from whose registry the model is loaded. */
  readonly trackingUri: pulumi.Input<string>;
}

/** The pod of one version of a model. */
export function modelPod(
  { image, model, settings, trackingUri, account }: ModelPodArgs,
  { labels, selector }: Workload,
): types.input.core.v1.PodTemplateSpec {
  const tmp = scratch(settings.resources.ephemeralStorage);
  return podTemplate({
    labels: { ...labels, ...TRACKING_CLIENT },
    annotations: scrapeAnnotations(SERVING_PORT),
    account,
    settings: settings.pod,
    directUrls: [trackingUri],
    tolerations: gpuTolerations(settings.resources),
    containers: [
      container({
        name: "model",
        image,
        env: {
          MAX_BATCH_ROWS: `${settings.batchRows}`,
          MLFLOW_TRACKING_URI: trackingUri,
          MODEL_NAME: model,
          MODEL_VERSION: `${settings.version}`,
          PORT: `${SERVING_PORT}`,
          ...(settings.runtime !== "mlflow" && { RUNTIME: settings.runtime }),
          ...(!settings.optimise && { OPTIMISE: "false" }),
          ...(settings.strictLibraries && { STRICT_LIBRARIES: "true" }),
        },
        ports: [{ name: "http", containerPort: SERVING_PORT }],
        ...httpProbes({ live: "/healthz", ready: "/readyz" }, "http", 60),
        lifecycle: { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
        resources: settings.resources,
        volumeMounts: [tmp.mount],
      }),
    ],
    volumes: [tmp.volume],
    spec: {
      terminationGracePeriodSeconds: PRE_STOP_SECONDS + DRAIN_SECONDS,
      topologySpreadConstraints: spread(selector),
    },
  });
}
