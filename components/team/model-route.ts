import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { GatewayReference } from "../contract";
import { GATEWAY_API, ROUTE_READY, splitSpec } from "../kubernetes/gateway";
import { type Identity, labels, selectorLabels } from "../kubernetes/labels";
import { route } from "../kubernetes/route";
import type { IngressConfig } from "../platform/schema";

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

/** What the ways to a model from outside have in common. */
interface Way {
  /** The first part of their names in the program. */
  id: string;
  model: string;
  host: string;
  metadata: { namespace: string; labels: Record<string, string> };
  opts: pulumi.CustomResourceOptions;
}

/** Sends all requests to the model's own Service. */
export function modelIngress(
  { id, model, host, metadata, opts }: Way,
  ingress: IngressConfig,
  service: k8s.core.v1.Service,
): void {
  const { annotations, spec } = route(ingress, host, model, PUBLIC_PATHS);
  new k8s.networking.v1.Ingress(
    `${id}-ingress`,
    { metadata: { ...metadata, annotations }, spec },
    { ...opts, dependsOn: [service] },
  );
}

/** Splits requests between variants, each of which gets a Service of its own. */
export function modelRoute(
  { id, model, host, metadata, opts }: Way,
  gateway: GatewayReference,
  variants: readonly RoutedVariant[],
): void {
  const backends = variants.map(({ name, weight, header, identity, pods }) => {
    const backend = `${model}-${name}`;
    const after = { ...opts, dependsOn: [pods] };
    const { namespace } = metadata;
    const service = modelService(`${id}-${name}-service`, namespace, backend, identity, after);
    return { service: backend, weight, header, dependsOn: service };
  });
  new k8s.apiextensions.CustomResource(
    `${id}-route`,
    {
      apiVersion: GATEWAY_API,
      kind: "HTTPRoute",
      // An Ingress that it takes the place of goes at the end of the update: not before the route is there.
      metadata: { ...metadata, annotations: ROUTE_READY },
      spec: splitSpec(gateway, host, PUBLIC_PATHS, backends),
    },
    { ...opts, dependsOn: backends.map(({ dependsOn }) => dependsOn) },
  );
}
