import type { types } from "@pulumi/kubernetes";
import { allowEgress, namespace, pods } from "../../kubernetes/network";
import type { PlatformContract } from "../../platform/contract";
import type { ModelConfig } from "./schema";

/** The port that the serving image listens on. */
export const SERVING_PORT = 8080;

/** The value of the label `app.kubernetes.io/name` of all model services. */
export const MODEL_SERVICE = "model-service";

/**
 * Lets all pods of a namespace that denies egress connect to its model services. Those with an Ingress do not admit them.
 */
export function allowModels() {
  const models = pods({ "app.kubernetes.io/name": MODEL_SERVICE });
  return allowEgress({}, [models], [SERVING_PORT]);
}

/**
 * The clients that a model service admits. For predictions the ingress controller and the proxies of the Gateway or, without an
 * Ingress, every pod of the cluster; for metrics Prometheus.
 */
export function clientsOf(
  settings: ModelConfig,
  { ingress, gateway, monitoringNamespace }: PlatformContract,
): types.input.networking.v1.NetworkPolicyPeer[] {
  const monitoring = monitoringNamespace ? [monitoringNamespace] : [];
  const proxies = [ingress.namespace, ...(gateway?.proxyNamespace ? [gateway.proxyNamespace] : [])];
  return settings.ingress
    ? [...new Set([...proxies, ...monitoring])].map(namespace)
    : [{ namespaceSelector: {} }, ...monitoring.map(namespace)];
}
