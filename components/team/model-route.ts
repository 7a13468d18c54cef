import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { GATEWAY_API, splitSpec } from "../kubernetes/gateway";
import { type Identity, labels, selectorLabels } from "../kubernetes/labels";
import { route } from "../kubernetes/route";
import type { ModelServiceArgs } from "./model-service";

/** What of a service is for callers: predictions, in both protocols, and what describes them. Its metrics are not. */
const PUBLIC_PATHS = ["/predict", "/v2", "/docs", "/openapi.json"];

/** A version that requests are routed to. */
interface RoutedVariant {
  name: string;
  weight: number;
  header?: { name: string; value: string } | undefined;
  identity: Identity;
  /** What starts its pods. */
  pods: pulumi.Resource;
}

/** The Service of a variant's pods. */
export function modelService(
  id: string,
  namespace: string,
  name: string,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    id,
    {
      metadata: { namespace, labels: labels(identity), name },
      spec: {
        selector: selectorLabels(identity),
        ports: [{ name: "http", port: 80, targetPort: "http" }],
      },
    },
    opts,
  );
}

/**
 * The way to a model from outside: an Ingress to its one version, or a route that splits requests between several.
 * @param main the model's own Service
 */
export function modelRoute(
  id: string,
  { namespace, settings, platform }: Pick<ModelServiceArgs, "namespace" | "settings" | "platform">,
  metadata: { namespace: string; labels: Record<string, string> },
  variants: readonly RoutedVariant[],
  main: k8s.core.v1.Service,
  opts: pulumi.CustomResourceOptions,
): void {
  const host = `${settings.name}.${namespace}.${platform.ingress.domain}`;
  if (variants.length === 1 || !platform.gateway) {
    const { annotations, spec } = route(platform.ingress, host, settings.name, PUBLIC_PATHS);
    new k8s.networking.v1.Ingress(
      `${id}-ingress`,
      { metadata: { ...metadata, annotations }, spec },
      { ...opts, dependsOn: [main] },
    );
    return;
  }
  const backends = variants.map(({ name, weight, header, identity, pods }) => {
    const backend = `${settings.name}-${name}`;
    const after = { ...opts, dependsOn: [pods] };
    const service = modelService(`${id}-${name}-service`, namespace, backend, identity, after);
    return { service: backend, weight, header, dependsOn: service };
  });
  new k8s.apiextensions.CustomResource(
    `${id}-route`,
    {
      apiVersion: GATEWAY_API,
      kind: "HTTPRoute",
      metadata,
      spec: splitSpec(platform.gateway, host, PUBLIC_PATHS, backends),
    },
    { ...opts, dependsOn: backends.map(({ dependsOn }) => dependsOn) },
  );
}
