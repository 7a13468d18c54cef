import { z } from "zod";
import { existingName, existingNamespace, hostname, labelKey, port } from "../../config/types";
import { issuerSchema } from "../certificates/schema";
import { off } from "../mode";

const settings = {
  className: existingName
    .optional()
    .describe("Ingress class; default: the cluster's default class"),
  namespace: existingNamespace
    .default("traefik")
    .describe("Namespace of the ingress controller's pods, which network policies admit"),
  domain: hostname.default("localhost").describe("Domain of all host names: MODEL.TEAM.DOMAIN"),
  port: port
    .optional()
    .describe("Port in URLs, of HTTPS if there is an issuer; default: the port of the scheme"),
  issuer: existingName
    .optional()
    .describe("cert-manager ClusterIssuer; if it is set, every Ingress is served with TLS"),
  redirect: z
    .boolean()
    .optional()
    .describe(
      "Redirect HTTP to HTTPS, if there is an issuer. Default: true; of a controller that is not known, only with `annotations`",
    ),
  httpPort: port
    .optional()
    .describe("Port of HTTP in URLs, if HTTP is served as well as HTTPS. Default: 80"),
  annotations: z
    .record(labelKey, z.string())
    .optional()
    .describe("Annotations of every Ingress, with which its controller or cert-manager is set up"),
};

/** How HTTP requests reach the services of a stack. */
export const ingressSchema = z
  .strictObject(settings)
  .prefault({})
  .describe("How HTTP requests reach the cluster");

/** The ingress controllers for which the platform itself sets up the redirect of HTTP to HTTPS. */
export const CONTROLLERS = ["traefik", "nginx"] as const;

/** The same as a platform's setting: it can create the issuer. */
export const platformIngressSchema = z
  .strictObject({
    ...settings,
    issuer: issuerSchema.optional(),
    controller: z
      .enum([...CONTROLLERS, "other"])
      .optional()
      .describe(
        "The ingress controller, whose way to redirect HTTP differs: for `other`, set `annotations`. Default: the one whose name is that of the class",
      ),
  })
  .prefault({})
  .describe("How HTTP requests reach the cluster");

export const gatewaySchema = z
  .discriminatedUnion("mode", [
    z.strictObject({
      mode: z.literal("install").describe("Install it"),
      className: existingName.describe("GatewayClass"),
      port: port.default(80).describe("Port of its listener; for Traefik that of an entry point"),
      httpsPort: port
        .optional()
        .describe("Port of its listener with TLS; required if there is an issuer"),
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
export type PlatformIngressConfig = z.output<typeof platformIngressSchema>;
