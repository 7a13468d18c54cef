import { z } from "zod";
import { podSettings } from "../../config/pod";
import {
  existingName,
  existingNamespace,
  httpUrl,
  memory,
  namespaceName,
  text,
} from "../../config/types";
import { off } from "../mode";

/** The settings that Pulumi's component has for the pods of cert-manager; in place of a node selector it has `affinity`. */
const pod = podSettings
  .pick({
    imagePullSecrets: true,
    tolerations: true,
    affinity: true,
    priorityClassName: true,
    labels: true,
    annotations: true,
    proxy: true,
  })
  .prefault({})
  .describe("Additional settings of its pods");

const NAMESPACE = "cert-manager";

/** The settings of a cert-manager that is installed. */
export const certManagerSettings = z.strictObject({
  namespace: namespaceName
    .default(NAMESPACE)
    .describe("Namespace, which is created; to change it later, set mode to off first"),
  chart: text
    .optional()
    .describe(
      "Folder, file or oci:// reference of the chart, such as a copy in a mirror; default: cert-manager's repository",
    ),
  replicas: z
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe("Number of pods of the controller, of the webhook and of the CA injector"),
  memory: memory
    .default("256Mi")
    .describe("Memory of each pod: request and limit. It grows with the number of Secrets"),
  pod,
});

export const certManagerSchema = z
  .discriminatedUnion("mode", [
    certManagerSettings.extend({ mode: z.literal("install").describe("Install it") }),
    z.strictObject({
      mode: z.literal("existing").describe("Use an existing one"),
      namespace: existingNamespace
        .default(NAMESPACE)
        .describe("Its namespace, where the Secrets of ClusterIssuers are"),
    }),
    off,
  ])
  .prefault({ mode: "off" })
  .describe("cert-manager, which signs and renews certificates");

/** The DNS providers of cert-manager's DNS-01 solver. */
const DNS_PROVIDERS = [
  "acmeDNS",
  "akamai",
  "azureDNS",
  "cloudDNS",
  "cloudflare",
  "digitalocean",
  "rfc2136",
  "route53",
  "webhook",
];

const dns01 = z
  .record(z.string(), z.unknown())
  .refine(
    (solver) => Object.keys(solver).filter((key) => DNS_PROVIDERS.includes(key)).length === 1,
    `must have one provider of ${DNS_PROVIDERS.join(", ")}, as in cert-manager's documentation`,
  )
  .describe(
    "Solver of the DNS-01 challenge, as in a cert-manager issuer; its credentials are references to a Secret in cert-manager's namespace. Default: HTTP-01 through the ingress class",
  );

const acme = z
  .strictObject({
    server: httpUrl("https://acme.example.com/directory")
      .default("https://acme-v02.api.letsencrypt.org/directory")
      .describe("Directory URL of the ACME server; default: Let's Encrypt"),
    email: z
      .email("must be an e-mail address, such as platform@example.com")
      .optional()
      .describe("Address to which the ACME server may write about the account"),
    caBundle: z
      .string()
      .regex(/^[A-Za-z0-9+/]+=*$/, "must be base64 of PEM certificates")
      .optional()
      .describe("CA of the ACME server's own certificate, as base64 of PEM; default: public CAs"),
    dns01: dns01.optional(),
  })
  .describe("An ACME server, such as Let's Encrypt");

/** Who signs the certificates of Ingresses and Gateways. */
export const issuerSchema = z
  .union([
    existingName.describe("An existing ClusterIssuer"),
    z.strictObject({
      selfSigned: z
        .strictObject({})
        .describe("A CA of the platform's own, which clients must trust"),
    }),
    z.strictObject({ acme }),
  ])
  .describe(
    "What signs the certificates: the name of an existing ClusterIssuer, `selfSigned: {}`, or `acme`. If it is set, every Ingress, and every Gateway that is created, is served with TLS",
  );

export type IssuerConfig = z.output<typeof issuerSchema>;
export type CertManagerConfig = z.output<typeof certManagerSchema>;
export type AcmeConfig = z.output<typeof acme>;
