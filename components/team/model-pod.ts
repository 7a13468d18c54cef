import type { types } from "@pulumi/kubernetes";
import { labels, selectorLabels, TRACKING_CLIENT } from "../kubernetes/labels";
import { httpProbes } from "../kubernetes/probes";
import { gpuTolerations, requirements } from "../kubernetes/resources";
import { restrictedContainer, restrictedPod, scratch } from "../kubernetes/security";
import { spread } from "../kubernetes/spread";
import { scrapeAnnotations } from "../platform/prometheus-config";
import type { ModelVariantArgs } from "./model-variant";

/** The port that the serving image listens on. */
export const SERVING_PORT = 8080;

/** How long a pod that is to go still serves, until every proxy has heard of it. */
const PRE_STOP_SECONDS = 5;
/** And how long, after that, requests that it has begun may take. */
const DRAIN_SECONDS = 25;

/** The pod of one version of a model. */
export function podTemplate(
  args: Omit<ModelVariantArgs, "namespace">,
): types.input.core.v1.PodTemplateSpec {
  const { settings, identity, account } = args;
  const tmp = scratch("32Mi");
  return {
    metadata: {
      labels: { ...labels(identity), ...TRACKING_CLIENT },
      annotations: scrapeAnnotations(SERVING_PORT),
    },
    spec: {
      serviceAccountName: account,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: restrictedPod(),
      terminationGracePeriodSeconds: PRE_STOP_SECONDS + DRAIN_SECONDS,
      ...gpuTolerations(settings.resources),
      topologySpreadConstraints: spread(selectorLabels(identity)),
      containers: [{ ...server(args), volumeMounts: [tmp.mount] }],
      volumes: [tmp.volume],
    },
  };
}

/** The container that loads the model and serves it. */
function server({
  image,
  model,
  settings,
  trackingUri,
}: Omit<ModelVariantArgs, "namespace">): types.input.core.v1.Container {
  const env = {
    MAX_BATCH_ROWS: `${settings.batchRows}`,
    MLFLOW_TRACKING_URI: trackingUri,
    MODEL_NAME: model,
    MODEL_VERSION: `${settings.version}`,
    PORT: `${SERVING_PORT}`,
  };
  return {
    name: "model",
    image,
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    ports: [{ name: "http", containerPort: SERVING_PORT }],
    ...httpProbes({ live: "/healthz", ready: "/readyz" }, "http", 60),
    lifecycle: { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
    resources: requirements(settings.resources),
    securityContext: restrictedContainer(),
  };
}
