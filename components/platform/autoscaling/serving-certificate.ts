import * as pulumi from "@pulumi/pulumi";
import { serverCertificate } from "../../kubernetes/cert-manager";
import type { Metadata } from "../../kubernetes/workload";
import { keyPairSecret } from "../certificates/key-pair-secret";
import { selfSigned } from "../certificates/self-signed";

/** The certificate of an API server, and how the cluster's API server learns its CA: one of the two is set. */
export interface ServingCertificate {
  readonly secretName: pulumi.Output<string>;
  /** Base64 of the CA's certificate. */
  readonly caBundle?: pulumi.Output<string>;
  /** Annotations with which cert-manager's CA injector sets it. */
  readonly annotations?: Readonly<Record<string, pulumi.Output<string>>>;
}

/**
 * A certificate that is made when it is created.
 * @param serial part of the resource's name: an increase makes a new pair, and so a rollout of the pods that mount it
 */
export function selfMade(
  name: string,
  metadata: Metadata & { namespace: string },
  dnsNames: readonly [string, ...string[]],
  serial: number,
  opts: pulumi.CustomResourceOptions,
): ServingCertificate {
  // Another namespace makes another Secret, as the ignored data would keep the old names.
  const id = `${name}-certificate-${metadata.namespace}-${serial}`;
  const { secretName, certificate } = keyPairSecret(id, metadata, selfSigned(dnsNames), opts);
  const caBundle = certificate.apply((pem) => Buffer.from(pem).toString("base64"));
  return { secretName, caBundle };
}

/** A certificate that cert-manager signs and renews. */
export function issued(
  name: string,
  metadata: Metadata & { namespace: string },
  dnsNames: readonly string[],
  issuer: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): ServingCertificate {
  const own = { ...metadata, name: "metrics-adapter-certificate" };
  const certificate = serverCertificate(`${name}-issued`, own, issuer, dnsNames, opts);
  // An output, so that the pods that mount the Secret start when it is there.
  const secretName = certificate.metadata.apply(({ name: secret }) => secret ?? own.name);
  const source = pulumi.interpolate`${metadata.namespace}/${secretName}`;
  return { secretName, annotations: { "cert-manager.io/inject-ca-from": source } };
}
