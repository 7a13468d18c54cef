import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { ROOT } from "../../../../cli/common/root";
import {
  caFile,
  keepCertificate,
  removeCertificate,
  withoutTls,
} from "../../../../cli/stack/certificate";
import { certificateAuthority } from "../../../../components/platform/certificates/self-signed";

const STACK = `unit-${process.pid}`;
const FILE = join(ROOT, caFile(STACK));
const trusted = getCACertificates("default");

afterEach(() => {
  removeCertificate(STACK);
  setDefaultCACertificates(trusted);
});

test("the certificate of a stack's CA is trusted, and is in a file until the stack has none", async () => {
  const { certificate } = await certificateAuthority("test");
  keepCertificate(STACK, certificate);
  expect(readFileSync(FILE, "utf8")).toBe(certificate);
  const subjects = getCACertificates("default").map((pem) => new X509Certificate(pem).subject);
  expect(subjects).toContain("CN=test");
  keepCertificate(STACK, undefined);
  expect(existsSync(FILE)).toBe(false);
});

test.each([
  [{ issuer: "ca", redirect: false, httpPort: 8080 }, "http://churn.demo.localhost:8080/predict"],
  [{ issuer: "ca", redirect: false }, "http://churn.demo.localhost/predict"],
  [{ issuer: "ca" }, undefined],
  [{}, undefined],
])("the HTTP URL of a platform with the ingress %j is %s", (ingress, expected) => {
  const platform = { ingress } as Parameters<typeof withoutTls>[1];
  expect(withoutTls("https://churn.demo.localhost:8443/predict", platform)).toBe(expected);
});
