import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** Ten years, as a new serial and not the end of its validity replaces it. */
const VALID_YEARS = 10;

/** A private key and its certificate, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes a self-signed certificate for TLS servers, with a key on the curve P-256.
 * @param dnsNames the names that clients call the server by; the first becomes its subject
 */
export async function selfSigned(dnsNames: readonly [string, ...string[]]): Promise<KeyPair> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const now = new Date();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${dnsNames[0]}`,
    // From an hour ago, for servers whose clocks are behind.
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: new Date(new Date(now).setFullYear(now.getFullYear() + VALID_YEARS)),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: "dns", value }))),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.BasicConstraintsExtension(true, 0, true),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: certificate.toString("pem"),
    key: x509.PemConverter.encode(key, "PRIVATE KEY"),
  };
}

/**
 * A Secret with a key pair that is made when the Secret is created. Every run makes another pair, which
 * `ignoreChanges` discards. So the key needs neither a certificate authority in the cluster nor a plugin, and Pulumi encrypts
 * it in the state.
 * @param serial part of the resource's name: an increase makes a new pair, and so a rollout of the pods that mount it
 */
export function servingCertificate(
  name: string,
  metadata: { namespace: string; labels: Record<string, string> },
  dnsNames: readonly [string, ...string[]],
  serial: number,
  opts: pulumi.CustomResourceOptions,
): { secretName: pulumi.Output<string>; caBundle: pulumi.Output<string> } {
  const pair = pulumi.output(selfSigned(dnsNames));
  const base64 = (text: pulumi.Output<string>) =>
    text.apply((value) => Buffer.from(value).toString("base64"));
  const secret = new k8s.core.v1.Secret(
    // Another namespace makes another Secret, as the ignored data would keep the old names.
    `${name}-certificate-${metadata.namespace}-${serial}`,
    {
      metadata,
      type: "kubernetes.io/tls",
      data: {
        "tls.crt": base64(pair.certificate),
        "tls.key": pulumi.secret(base64(pair.key)),
      },
    },
    { ...opts, ignoreChanges: ["data"] },
  );
  return {
    secretName: secret.metadata.name,
    // The certificate is public; only the key is not.
    caBundle: pulumi.unsecret(secret.data).apply((data) => data["tls.crt"] ?? ""),
  };
}
