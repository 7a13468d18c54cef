import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PlatformContract } from "../../components/platform/contract";
import { trust } from "../common/http";
import { ROOT } from "../common/root";

/** The file for the certificate of a stack's CA, relative to the checkout. */
export const caFile = (stack: string) => join(".state", `${stack}-ca.crt`);

/** Trusts the CA of a stack, and writes its certificate to a file for other clients. @param certificate PEM */
export function keepCertificate(stack: string, certificate: string | undefined): void {
  if (!certificate) {
    removeCertificate(stack);
    return;
  }
  trust(certificate);
  const path = join(ROOT, caFile(stack));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, certificate);
}

/** Removes the file of a CA that a stack does not have any more. */
export function removeCertificate(stack: string): void {
  rmSync(join(ROOT, caFile(stack)), { force: true });
}

/** The same URL without TLS, if a platform serves HTTP as well as HTTPS. */
export function withoutTls(
  url: string,
  platform: PlatformContract | undefined,
): string | undefined {
  const { issuer, redirect, httpPort = 80 } = platform?.ingress ?? {};
  if (!issuer || redirect !== false) {
    return undefined;
  }
  const plain = new URL(url.replace(/^https/, "http"));
  plain.port = `${httpPort}`;
  return plain.href.replace(/\/$/, "");
}
