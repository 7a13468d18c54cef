import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { GATEWAY_API, type GatewayName, ROUTE_READY, splitSpec } from "../../kubernetes/gateway";
import type { Identity } from "../../kubernetes/labels";
import { type Metadata, Workload } from "../../kubernetes/workload";
import { PUBLIC_PATHS } from "./paths";

/** A version that requests are routed to. */
export interface RoutedVariant {
  readonly name: string;
  readonly weight: number;
  readonly header?: { name: string; value: string } | undefined;
  readonly identity: Identity;
  /** Its Deployment and the objects of the Deployment. */
  readonly pods: pulumi.Resource;
}

/** The port of a model's Services. */
export const HTTP_PORT = { name: "http", port: 80 };

/** A model, and the host at which it is served outside of the cluster. */
export interface Exposure {
  /** First part of the names of its resources. */
  readonly id: string;
  readonly model: string;
  readonly host: pulumi.Input<string>;
  readonly namespace: pulumi.Input<string>;
  readonly metadata: Metadata;
  readonly opts: pulumi.CustomResourceOptions;
}

/** Splits requests between variants, each of which gets a Service. */
export function modelRoute(
  { id, model, host, namespace, metadata, opts }: Exposure,
  gateway: GatewayName,
  variants: readonly RoutedVariant[],
): void {
  const backends = variants.map(({ name, weight, header, identity, pods }) => {
    const backend = `${model}-${name}`;
    const workload = new Workload(`${id}-${name}`, namespace, identity, opts);
    const service = workload.service(backend, HTTP_PORT, [pods]);
    return { service: backend, weight, header, dependsOn: service };
  });
  new k8s.apiextensions.CustomResource(
    `${id}-route`,
    {
      apiVersion: GATEWAY_API,
      kind: "HTTPRoute",
      // An Ingress that it replaces is deleted at the end of the update, when the route is ready.
      metadata: { ...metadata, annotations: ROUTE_READY },
      spec: splitSpec(gateway, host, PUBLIC_PATHS, backends),
    },
    { ...opts, dependsOn: backends.map(({ dependsOn }) => dependsOn) },
  );
}
