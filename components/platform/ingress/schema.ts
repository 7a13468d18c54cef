import { z } from "zod";
import { existingName, existingNamespace, hostname, port } from "../../config/types";
import { off } from "../mode";

/** How HTTP requests reach the services of a stack. */
export const ingressSchema = z
  .strictObject({
    className: existingName
      .optional()
      .describe("Ingress class; default: the cluster's default class"),
    namespace: existingNamespace
      .default("traefik")
      .describe("Namespace of the ingress controller's pods, which network policies admit"),
    domain: hostname.default("localhost").describe("Domain of all host names: MODEL.TEAM.DOMAIN"),
    port: port.optional().describe("Port in URLs; default: the port of the scheme"),
    issuer: existingName
      .optional()
      .describe("cert-manager ClusterIssuer; if it is set, every Ingress is served with TLS"),
  })
  .prefault({})
  .describe("How HTTP requests reach the cluster");

export const gatewaySchema = z
  .discriminatedUnion("mode", [
    z.strictObject({
      mode: z.literal("install").describe("Install it"),
      className: existingName.describe("GatewayClass"),
      port: port.default(80).describe("Port of its listener; for Traefik that of an entry point"),
    }),
    z.strictObject({
      mode: z.literal("existing").describe("Use an existing one"),
      name: existingName.describe("Name of the Gateway"),
      namespace: existingNamespace.describe("Namespace of the Gateway"),
      sectionName: existingName
        .optional()
        .describe("Listener of the Gateway; default: all listeners that match the host"),
      proxyNamespace: existingNamespace
        .optional()
        .describe(
          "Namespace of its proxies' pods, which network policies admit; default: the Gateway's",
        ),
    }),
    off,
  ])
  .prefault({ mode: "off" })
  .describe("Gateway that splits requests between variants of a model");

export type IngressConfig = z.output<typeof ingressSchema>;
