import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { send, trust } from "../../../../cli/common/http";
import { type KeyPair, selfSigned } from "../../../../components/platform/certificates/self-signed";

const HOST = "churn.demo.localhost";
const trusted = getCACertificates("default");
let server: Server;
let pair: KeyPair;
let address: string;

beforeAll(async () => {
  pair = await selfSigned([HOST, "localhost"]);
  server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    response.end(`${request.method} ${request.headers.host}${request.url}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `${HOST}:${(server.address() as AddressInfo).port}/predict`;
});

afterAll(() => {
  setDefaultCACertificates(trusted);
  server.close();
});

test("an https URL is requested over TLS, and an untrusted certificate is refused", async () => {
  await expect(send(`https://${address}`)).rejects.toThrow(
    `https://${address}: self-signed certificate`,
  );
});

test("a certificate is checked against the host name, also if the host is this machine", async () => {
  trust(pair.certificate);
  expect(await send(`https://${address}`, {})).toMatchObject({
    status: 200,
    body: `POST ${address}`,
  });
  const other = address.replace(HOST, "other.localhost");
  await expect(send(`https://${other}`)).rejects.toThrow("does not match certificate");
});
