import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Metadata } from "./workload";

const API = "cert-manager.io/v1";

/** Makes an update wait until an issuer can sign, or a certificate is signed. */
const READY = { "pulumi.com/waitFor": "condition=Ready" };

/** The text in the API server's error while no pod of the webhook answers: at a start, an upgrade, or a drain. */
const NO_WEBHOOK = 'failed calling webhook "webhook.cert-manager.io"';

/** Seconds between attempts, and their number: five minutes, as a node that starts may have to pull the image. */
const PAUSE = 5;
const ATTEMPTS = 60;

/** Retries what cert-manager's webhook could not check because it is not ready yet. An object that it refuses is an error. */
export async function retryWithoutWebhook(
  { errors }: Pick<pulumi.ErrorHookArgs, "errors">,
  pause = PAUSE,
): Promise<boolean> {
  const [latest = ""] = errors;
  if (!latest.includes(NO_WEBHOOK) || errors.length > ATTEMPTS) {
    return false;
  }
  await new Promise((resume) => setTimeout(resume, pause * 1000));
  return true;
}

function certManagerObject(
  id: string,
  kind: string,
  metadata: Partial<Metadata> & { name: string },
  spec: object,
  opts: pulumi.CustomResourceOptions,
): k8s.apiextensions.CustomResource {
  const hook = new pulumi.ErrorHook(`${id}-webhook`, (args) => retryWithoutWebhook(args));
  return new k8s.apiextensions.CustomResource(
    id,
    { apiVersion: API, kind, metadata: { ...metadata, annotations: READY }, spec },
    { ...opts, hooks: { onError: [hook] } },
  );
}

/** An issuer for the whole cluster. */
export function clusterIssuer(
  id: string,
  name: string,
  labels: Record<string, string>,
  spec: object,
  opts: pulumi.CustomResourceOptions,
): k8s.apiextensions.CustomResource {
  return certManagerObject(id, "ClusterIssuer", { name, labels }, spec, opts);
}

/**
 * A certificate for servers, in the Secret `name`, renewed by cert-manager before it ends.
 * @param issuer name of the ClusterIssuer that signs it
 */
export function serverCertificate(
  id: string,
  metadata: Metadata & { name: string },
  issuer: pulumi.Input<string>,
  dnsNames: readonly string[],
  opts: pulumi.CustomResourceOptions,
): k8s.apiextensions.CustomResource {
  const spec = {
    secretName: metadata.name,
    issuerRef: { group: "cert-manager.io", kind: "ClusterIssuer", name: issuer },
    dnsNames,
    privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
    usages: ["digital signature", "server auth"],
  };
  return certManagerObject(id, "Certificate", metadata, spec, opts);
}
