import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { beforeAll, expect, test } from "vitest";
import { type KeyPair, selfSigned } from "../../../components/platform/certificates/self-signed";

const NAMES = [
  "metrics-adapter.ml-platform.svc",
  "metrics-adapter.ml-platform.svc.cluster.local",
] as const;
const HOUR = 3_600_000;
let pair: KeyPair;
let certificate: X509Certificate;

beforeAll(async () => {
  pair = await selfSigned(NAMES);
  certificate = new X509Certificate(pair.certificate);
});

/** Connects to a TLS server with the key pair by a name, and trusts only the given certificate. */
async function handshake(servername: string, ca: string): Promise<string> {
  const server = createServer({ cert: pair.certificate, key: pair.key, minVersion: "TLSv1.3" });
  server.on("secureConnection", (socket: TLSSocket) => socket.end("hello"));
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const client = connect({ host: "127.0.0.1", port, servername, ca });
    const [data] = await once(client, "data");
    client.destroy();
    return `${data}`;
  } finally {
    server.close();
  }
}

test("the certificate has the names by which clients call the server", () => {
  expect(certificate.subjectAltName).toBe(NAMES.map((name) => `DNS:${name}`).join(", "));
  expect(certificate.subject).toBe(`CN=${NAMES[0]}`);
  expect(NAMES.map((name) => certificate.checkHost(name))).toEqual([...NAMES]);
  expect(certificate.checkHost("other.ml-platform.svc")).toBeUndefined();
});

test("the private key is that of the certificate, on the curve P-256", () => {
  const key = createPrivateKey(pair.key);
  expect(certificate.checkPrivateKey(key)).toBe(true);
  expect(key.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
});

test("the certificate is self-signed, for TLS servers, and valid from an hour ago for ten years", () => {
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.ca).toBe(true);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  const now = Date.now();
  // For servers whose clocks are behind.
  expect(certificate.validFromDate.getTime()).toBeLessThanOrEqual(now - HOUR + 60_000);
  const years = (certificate.validToDate.getTime() - now) / (365.25 * 24 * HOUR);
  expect(years).toBeCloseTo(10, 1);
});

test("a client that trusts only the certificate can connect by both names", async () => {
  for (const name of NAMES) {
    expect(await handshake(name, pair.certificate)).toBe("hello");
  }
});

test("a client that uses another name, or trusts another certificate, cannot connect", async () => {
  await expect(handshake("other.ml-platform.svc", pair.certificate)).rejects.toThrow(
    "does not match certificate",
  );
  const other = await selfSigned(NAMES);
  await expect(handshake(NAMES[0], other.certificate)).rejects.toThrow("certificate");
});

test("each key pair is different", async () => {
  const other = await selfSigned(NAMES);
  expect(other.key).not.toBe(pair.key);
  expect(new X509Certificate(other.certificate).serialNumber).not.toBe(certificate.serialNumber);
});
