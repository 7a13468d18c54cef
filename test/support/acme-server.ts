import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfSigned } from "../../components/platform/certificates/self-signed";
import type { LabInfo } from "../../lab/cluster/lab";
import { assembleImages, pushImages } from "../../lab/images";
import { optionalRecipes } from "../../lab/images/recipes";
import { labTools } from "../../lab/tools";
import type { Kubectl } from "./kubectl";

const NAMESPACE = "acme";
const DIRECTORY_PORT = 14_000;
const MANAGEMENT_PORT = 15_000;

/** An ACME server in the cluster. */
export interface AcmeServer {
  /** URL of its directory. */
  readonly server: string;
  /** Base64 of the certificate (PEM) that its own connections have. */
  readonly caBundle: string;
  /** Certificate (PEM) of the CA that signs what it issues. */
  root(): Promise<string>;
}

/**
 * Starts Pebble, the ACME server that Let's Encrypt tests clients with. It connects to port 80 of a host to check it.
 * @param folder for its manifest
 */
export async function startAcmeServer(
  kubectl: Kubectl,
  lab: LabInfo,
  folder: string,
): Promise<AcmeServer> {
  const image = await pebbleImage(lab.registry);
  const { certificate, key } = await selfSigned([`pebble.${NAMESPACE}.svc`]);
  const file = join(folder, "pebble.json");
  writeFileSync(file, JSON.stringify(manifest(image, certificate, key)));
  await kubectl.run("apply", "-f", file);
  await kubectl.run("rollout", "status", "deployment/pebble", "-n", NAMESPACE, "--timeout=120s");
  const management = `/api/v1/namespaces/${NAMESPACE}/services/https:pebble:management/proxy`;
  return {
    server: `https://pebble.${NAMESPACE}.svc/dir`,
    caBundle: Buffer.from(certificate).toString("base64"),
    root: () => kubectl.run("get", "--raw", `${management}/roots/0`),
  };
}

async function pebbleImage(registry: string): Promise<string> {
  const tools = labTools.ensure(["pebble"], console.log);
  const images = await assembleImages(tools, console.log, optionalRecipes);
  const digests = await pushImages(registry, images, console.log);
  const [pebble] = Object.entries(digests);
  return `${registry}/${pebble?.join("@")}`;
}

function manifest(image: string, certificate: string, key: string): object {
  const metadata = { name: "pebble", namespace: NAMESPACE };
  const app = { app: "pebble" };
  const config = {
    pebble: {
      listenAddress: `0.0.0.0:${DIRECTORY_PORT}`,
      managementListenAddress: `0.0.0.0:${MANAGEMENT_PORT}`,
      certificate: "/files/tls.crt",
      privateKey: "/files/tls.key",
      httpPort: 80,
      tlsPort: 443,
    },
  };
  const container = {
    name: "pebble",
    image,
    args: ["-config", "/files/config.json"],
    // Otherwise it waits up to 15 seconds before it checks a host.
    env: [{ name: "PEBBLE_VA_NOSLEEP", value: "1" }],
    readinessProbe: {
      httpGet: { path: "/dir", port: DIRECTORY_PORT, scheme: "HTTPS" },
      periodSeconds: 1,
    },
    volumeMounts: [{ name: "files", mountPath: "/files" }],
  };
  const volumes = [{ name: "files", secret: { secretName: "pebble" } }];
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata,
      stringData: { "tls.crt": certificate, "tls.key": key, "config.json": JSON.stringify(config) },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        selector: app,
        ports: [
          { name: "directory", port: 443, targetPort: DIRECTORY_PORT },
          { name: "management", port: MANAGEMENT_PORT },
        ],
      },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        selector: { matchLabels: app },
        template: { metadata: { labels: app }, spec: { containers: [container], volumes } },
      },
    },
  ];
  return { apiVersion: "v1", kind: "List", items };
}
