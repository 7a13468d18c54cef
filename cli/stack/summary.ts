import { AppsV1Api, AutoscalingV2Api } from "@kubernetes/client-node";
import Table from "cli-table3";
import pRetry from "p-retry";
import { kubeConfigOf } from "../../components/kubernetes/client";
import { send } from "../common/http";
import { stackConfig } from "./file";

/** The outputs of a stack that has a team. */
export interface StackOutputs {
  models?: Record<string, string>;
  prometheusUrl?: string;
  trackingUrl?: string;
}

/** What is sent to see whether a model answers: body mass index and blood pressure of the sample data's model. */
export const SAMPLE = { features: [32.1, 101] };

/** The model whose URL is shown first, and its first answer. */
export interface Prediction {
  model: string;
  url: string;
  answer: string;
}

/**
 * Asks the first model for one prediction through the Ingress, again for as long as the controller needs to learn of it.
 * @param known whether the model and the way to it are the dev stack's, so that only an answer will do; elsewhere the
 *   model may want other features, and its host may not lead to the cluster yet
 * @throws Error with the last answer, where only an answer will do
 */
export async function firstPrediction(
  { models = {} }: StackOutputs,
  known: boolean,
): Promise<Prediction | undefined> {
  const [first] = Object.entries(models);
  if (!first) return undefined;
  const [model, base] = first;
  const url = `${base}/predict`;
  const ask = async () => {
    const { status, body } = await send(url, SAMPLE);
    if (status !== 200) throw new Error(`${url} answered ${status}: ${body.trim()}`);
    return body.trim();
  };
  const options = { retries: known ? 20 : 10, factor: 1.3, minTimeout: 250, maxTimeout: 3000 };
  const answer = await pRetry(ask, options).catch((error: Error) => {
    if (known) throw error;
    return error.message;
  });
  return { model, url, answer };
}

/** How many pods a model has, and the metric by which it is scaled. */
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

/** A quantity of the custom metrics API, `1500m`, as a number that people read. */
export function rate(quantity: string | number | undefined): string {
  if (quantity === undefined) return "no";
  const text = `${quantity}`;
  return text.endsWith("m") ? `${Number(text.slice(0, -1)) / 1000}` : text;
}

/** What a user needs next, as a table. */
export async function summary(
  stack: string,
  { prometheusUrl, trackingUrl }: StackOutputs,
  prediction: Prediction | undefined,
): Promise<string> {
  const table = new Table();
  const row = (name: string, value: string | undefined) => value && table.push([name, value]);
  const option = stack === "dev" ? "" : ` -- --stack ${stack}`;
  if (prediction) {
    const { model, url, answer } = prediction;
    row("Prediction", url);
    row("", `${JSON.stringify(SAMPLE)} → ${answer}`);
    row("Try it", `curl ${url} -d '${JSON.stringify(SAMPLE)}'`);
    row("Replicas", await scaling(stack, model));
    row("Send load", `npm run load${option}`);
  }
  row("MLflow", trackingUrl);
  row("Prometheus", prometheusUrl);
  row(
    "Stop",
    stack === "dev" ? "npm stop (keeps its data) · npm run destroy" : `npm run destroy${option}`,
  );
  return table.toString();
}
