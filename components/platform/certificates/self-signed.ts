import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** Ten years, as a new key pair and not the end of its validity replaces a certificate. */
const VALID_YEARS = 10;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A private key and its certificate, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes a self-signed certificate for TLS servers, with a key on the curve P-256.
 * @param dnsNames the names that clients call the server by; the first becomes its subject
 */
export function selfSigned(dnsNames: readonly [string, ...string[]]): Promise<KeyPair> {
  return keyPair(dnsNames[0], [
    new x509.SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: "dns", value }))),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
  ]);
}

/** Makes a CA that signs certificates of servers, and of no other CA, with a key on the curve P-256. */
export function certificateAuthority(commonName: string): Promise<KeyPair> {
  const { cRLSign, digitalSignature, keyCertSign } = x509.KeyUsageFlags;
  return keyPair(commonName, [
    new x509.KeyUsagesExtension(cRLSign | digitalSignature | keyCertSign, true),
  ]);
}

async function keyPair(commonName: string, extensions: x509.Extension[]): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const now = new Date();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    // From an hour ago, for servers whose clocks are behind.
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: new Date(new Date(now).setFullYear(now.getFullYear() + VALID_YEARS)),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      ...extensions,
      new x509.BasicConstraintsExtension(true, 0, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: certificate.toString("pem"),
    key: x509.PemConverter.encode(key, "PRIVATE KEY"),
  };
}
