import { AppsV1Api, AutoscalingV2Api } from "@kubernetes/client-node";
import Table from "cli-table3";
import pRetry from "p-retry";
import { kubeConfigOf } from "../../components/kubernetes/client";
import type { PlatformContract } from "../../components/platform/contract";
import { send } from "../common/http";
import { caFile, withoutTls } from "./certificate";
import { stackConfig } from "./file";

/** The outputs of a stack that has a team. */
export interface StackOutputs {
  /** Certificate (PEM) of the CA that signs the certificates of its URLs, if it is the platform's own. */
  readonly certificateAuthority?: string;
  readonly platform?: PlatformContract;
  readonly models?: Record<string, string>;
  readonly prometheusUrl?: string;
  readonly trackingUrl?: string;
}

/** The request that checks a model: body mass index and blood pressure, the features of the sample data. */
export const SAMPLE = { features: [32.1, 101] };

/** The model whose URL is shown first, and its first answer. */
export interface Prediction {
  readonly model: string;
  readonly url: string;
  readonly answer: string;
}

/**
 * Asks the first model for one prediction through the Ingress, with retries until the controller knows the route.
 * @param required whether a prediction is required, as on the local cluster; elsewhere the model may expect other features,
 *   and DNS may not lead to the cluster yet
 * @throws Error with the last answer, where a prediction is required
 */
export async function firstPrediction(
  { models = {} }: StackOutputs,
  required: boolean,
): Promise<Prediction | undefined> {
  const [first] = Object.entries(models);
  if (!first) {
    return undefined;
  }
  const [model, base] = first;
  const url = `${base}/predict`;
  const ask = async () => {
    const { status, body } = await send(url, SAMPLE);
    if (status !== 200) {
      throw new Error(`${url} answered ${status}: ${body.trim()}`);
    }
    return body.trim();
  };
  const options = { retries: required ? 20 : 10, factor: 1.3, minTimeout: 250, maxTimeout: 3000 };
  const answer = await pRetry(ask, options).catch((error: Error) => {
    if (required) {
      throw error;
    }
    return error.message;
  });
  return { model, url, answer };
}

/** The number of a model's pods, and the metric that scales them. */
async function scaling(stack: string, model: string): Promise<string> {
  const { cluster, team } = stackConfig(stack);
  const kubeConfig = await kubeConfigOf(cluster);
  const query = {
    namespace: team?.name ?? "",
    labelSelector: `app.kubernetes.io/instance=${model}`,
  };
  const autoscalers = await kubeConfig
    .makeApiClient(AutoscalingV2Api)
    .listNamespacedHorizontalPodAutoscaler(query);
  const [autoscaler] = autoscalers.items;
  if (!autoscaler) {
    const { items } = await kubeConfig.makeApiClient(AppsV1Api).listNamespacedDeployment(query);
    return `${items[0]?.status?.readyReplicas ?? 0}, fixed`;
  }
  const { spec, status } = autoscaler;
  const [metric] = status?.currentMetrics ?? [];
  const now = metric?.pods?.current.averageValue ?? metric?.resource?.current.averageUtilization;
  const unit = metric?.resource ? "% of its CPU" : " requests/s a pod";
  const range = `${spec?.minReplicas} to ${spec?.maxReplicas}`;
  return `${status?.currentReplicas ?? 0} (${range}) at ${rate(now)}${unit}`;
}

/** A quantity of the custom metrics API, such as `1500m`, as a decimal number. */
export function rate(quantity: string | number | undefined): string {
  if (quantity === undefined) {
    return "no";
  }
  const text = `${quantity}`;
  return text.endsWith("m") ? `${Number(text.slice(0, -1)) / 1000}` : text;
}

/** A table of what a user needs next. */
export async function summary(
  stack: string,
  outputs: StackOutputs,
  prediction: Prediction | undefined,
): Promise<string> {
  const { certificateAuthority, platform, prometheusUrl, trackingUrl } = outputs;
  // A browser does not trust the platform's CA.
  const page = (url: string | undefined) =>
    url && ((certificateAuthority && withoutTls(url, platform)) || url);
  const table = new Table();
  const row = (name: string, value: string | undefined) => value && table.push([name, value]);
  const option = stack === "dev" ? "" : ` -- --stack ${stack}`;
  if (prediction) {
    const { model, url, answer } = prediction;
    row("Prediction", url);
    row("", `${JSON.stringify(SAMPLE)} → ${answer}`);
    const data = `-d '${JSON.stringify(SAMPLE)}'`;
    const plain = withoutTls(url, platform);
    row("Try it", `curl ${certificateAuthority ? `--cacert ${caFile(stack)} ` : ""}${url} ${data}`);
    row("Without TLS", plain && `curl ${plain} ${data}`);
    row("Replicas", await scaling(stack, model));
    row("Send load", `npm run load${option}`);
  }
  row("MLflow", page(trackingUrl));
  row("Prometheus", page(prometheusUrl));
  row(
    "Stop",
    stack === "dev" ? "npm stop (keeps its data) · npm run destroy" : `npm run destroy${option}`,
  );
  return table.toString();
}
