import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { GATEWAY_API, GATEWAY_READY, gatewaySpec } from "../../kubernetes/gateway";
import type { GatewayReference } from "../contract";

export interface GatewayArgs extends Pick<GatewayReference, "name" | "namespace"> {
  readonly labels: Record<string, string>;
  readonly className: string;
  /** Domain of the hosts that it serves. */
  readonly domain: string;
  /** Port of its listener. */
  readonly port: number;
}

/** The Gateway that splits requests between variants of models. */
export function platformGateway(
  id: string,
  { name, namespace, labels, className, domain, port }: GatewayArgs,
  opts: pulumi.CustomResourceOptions,
): void {
  new k8s.apiextensions.CustomResource(
    id,
    {
      apiVersion: GATEWAY_API,
      kind: "Gateway",
      metadata: { name, namespace, labels, annotations: GATEWAY_READY },
      spec: gatewaySpec(className, domain, port),
    },
    opts,
  );
}
