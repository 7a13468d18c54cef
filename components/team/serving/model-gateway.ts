import * as k8s from "@pulumi/kubernetes";
import {
  GATEWAY_API,
  GATEWAY_READY,
  type GatewayName,
  ROUTE_READY,
  redirectSpec,
  tlsGatewaySpec,
} from "../../kubernetes/gateway";
import { certificateAnnotations } from "../../kubernetes/ingress";
import type { PlatformContract } from "../../platform/contract";
import type { Exposure } from "./model-route";

type Tls = NonNullable<NonNullable<PlatformContract["gateway"]>["tls"]>;

/**
 * A model's own Gateway, with a certificate for its host: a shared one would need a listener for each host, as a wildcard
 * certificate matches one label only. HTTP is redirected, unless the platform serves both.
 * @returns the listeners that the model's route attaches to
 */
export function modelGateway(
  { id, model, host, namespace, metadata, opts }: Exposure,
  tls: Tls,
  ingress: PlatformContract["ingress"],
): GatewayName {
  const annotations = { ...GATEWAY_READY, ...certificateAnnotations(ingress) };
  new k8s.apiextensions.CustomResource(
    `${id}-gateway`,
    {
      apiVersion: GATEWAY_API,
      kind: "Gateway",
      metadata: { ...metadata, name: model, annotations },
      // With a dot, which no name of another model has.
      spec: tlsGatewaySpec(tls, host, `${model}.gateway-tls`),
    },
    opts,
  );
  const both = { name: model, namespace };
  if (ingress.redirect === false) {
    return both;
  }
  new k8s.apiextensions.CustomResource(
    `${id}-redirect`,
    {
      apiVersion: GATEWAY_API,
      kind: "HTTPRoute",
      metadata: { ...metadata, annotations: ROUTE_READY },
      spec: redirectSpec({ ...both, sectionName: "http" }, host, ingress.port),
    },
    opts,
  );
  return { ...both, sectionName: "https" };
}
