import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SERVICE_API, SERVICE_DOMAIN } from "./cidrs";
import type { ProbeIdentity } from "./probe";
import { run } from "./shell";

/** Validity of CA certificates and of other certificates, in days; `up` renews them in the last month. */
const CA_DAYS = 3650;
const CERTIFICATE_DAYS = 365;
const RENEW_BEFORE_MS = 30 * 24 * 3_600_000;

/** Separate CAs, as Kubernetes recommends: a certificate of a pod or node must not be valid for etcd or as the aggregator. */
const CERTIFICATE_AUTHORITIES = ["ca", "etcd-ca", "front-proxy-ca"] as const;
type Authority = (typeof CERTIFICATE_AUTHORITIES)[number];

interface CertificateSpec {
  /** File name without extension. */
  readonly name: string;
  /** Subject in the format of OpenSSL. */
  readonly subject: string;
  readonly authority: Authority;
  /** Names and addresses of a server, in the format of OpenSSL; none for a client. */
  readonly servers: readonly string[];
}

/** Users of the API server with a kubeconfig, and their certificate subjects, which RBAC uses. */
export const USERS = {
  admin: "/O=system:masters/CN=admin",
  "controller-manager": "/CN=system:kube-controller-manager",
  scheduler: "/CN=system:kube-scheduler",
  "kube-proxy": "/CN=system:kube-proxy",
  "kube-router": "/CN=lab:kube-router",
} as const;

/** All certificates of a lab, for its node's name and address. */
export function certificates(node: string, address: string): CertificateSpec[] {
  const local = ["DNS:localhost", "IP:127.0.0.1", `DNS:${node}`, `IP:${address}`];
  const service = ["", ".default", ".default.svc", `.default.svc.${SERVICE_DOMAIN}`];
  const api = [...service.map((suffix) => `DNS:kubernetes${suffix}`), `IP:${SERVICE_API}`];
  const client = (name: string, subject: string, authority: Authority = "ca") => {
    return { name, subject, authority, servers: [] };
  };
  const server = (name: string, servers: readonly string[], authority: Authority = "ca") => {
    return { name, subject: `/CN=${name}`, authority, servers };
  };
  return [
    server("etcd", local, "etcd-ca"),
    client("apiserver-etcd-client", "/CN=apiserver-etcd-client", "etcd-ca"),
    server("apiserver", [...local, ...api]),
    client("apiserver-kubelet-client", "/CN=lab:apiserver-kubelet-client"),
    client("front-proxy-client", "/CN=front-proxy-client", "front-proxy-ca"),
    server("node-server", local),
    client("kubelet", `/O=system:nodes/CN=system:node:${node}`),
    server("metrics-server", ["DNS:metrics-server.kube-system.svc"]),
    ...Object.entries(USERS).map(([name, subject]) => client(name, subject)),
  ];
}

/** Paths of a certificate, its key and its CA certificate. */
export function identityOf(pki: string, name: string, authority: Authority = "ca"): ProbeIdentity {
  const file = (stem: string, ending: string) => join(pki, `${stem}.${ending}`);
  return { ca: file(authority, "crt"), cert: file(name, "crt"), key: file(name, "key") };
}

/** Creates certificates that are missing, about to expire, or for another address or CA; keeps the others. */
export async function ensurePki(pki: string, node: string, address: string): Promise<void> {
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  for (const name of CERTIFICATE_AUTHORITIES) {
    if (!isUsable(join(pki, `${name}.crt`), undefined, [])) {
      await makeAuthority(pki, name);
    }
  }
  if (!existsSync(join(pki, "sa.key"))) {
    // In the traditional format: the API server reads the public key from it, but not from PKCS #8.
    const curve = ["-name", "prime256v1", "-genkey", "-noout"];
    await run("openssl", ["ecparam", ...curve, "-out", join(pki, "sa.key")]);
  }
  for (const spec of certificates(node, address)) {
    const { ca, cert } = identityOf(pki, spec.name, spec.authority);
    if (!isUsable(cert, ca, spec.servers)) {
      await issue(pki, spec);
    }
  }
}

/** Whether a certificate exists, does not expire soon, was issued by its CA, and is for exactly these servers. */
export function isUsable(
  path: string,
  authority: string | undefined,
  servers: readonly string[],
): boolean {
  if (!existsSync(path) || !existsSync(path.replace(/crt$/, "key"))) {
    return false;
  }
  try {
    const certificate = new X509Certificate(readFileSync(path));
    const issuer = authority ? new X509Certificate(readFileSync(authority)) : certificate;
    const names = (certificate.subjectAltName ?? "").replaceAll("IP Address:", "IP:").split(", ");
    return (
      Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE_MS &&
      certificate.verify(issuer.publicKey) &&
      names.filter(Boolean).sort().join() === [...servers].sort().join()
    );
  } catch {
    return false; // incomplete
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"];

async function makeAuthority(pki: string, name: Authority): Promise<void> {
  const { cert, key } = identityOf(pki, name);
  const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  const lasting = ["-days", String(CA_DAYS), "-subj", `/CN=lab ${name}`];
  await run("openssl", [
    "req",
    "-x509",
    ...NEW_KEY,
    ...lasting,
    ...usage,
    "-keyout",
    key,
    "-out",
    cert,
  ]);
}

async function issue(pki: string, spec: CertificateSpec): Promise<void> {
  const { ca, cert, key } = identityOf(pki, spec.name, spec.authority);
  const signer = ["-CA", ca, "-CAkey", ca.replace(/crt$/, "key")];
  const usage = spec.servers.length > 0 ? "serverAuth,clientAuth" : "clientAuth";
  const names = spec.servers.length > 0 ? [`subjectAltName=${spec.servers.join(",")}`] : [];
  const extensions = [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    `extendedKeyUsage=${usage}`,
    ...names,
  ];
  const subject = ["-days", String(CERTIFICATE_DAYS), "-subj", spec.subject];
  rmSync(cert, { force: true });
  await run("openssl", [
    ...["req", "-x509", ...NEW_KEY, ...subject, ...signer],
    ...extensions.flatMap((extension) => ["-addext", extension]),
    ...["-keyout", key, "-out", cert],
  ]);
}
