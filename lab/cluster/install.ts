import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Deployment,
  type Manifest,
  notRolledOut,
  type Pod,
  podProblems,
  renderAddons,
  toYaml,
} from "./addons";
import { adminIdentity, apiServerUrl, type ClusterConfig, configFile } from "./component";
import { writeIfChanged } from "./files";
import { LabError } from "./identity";
import { identityOf } from "./pki";
import { getJson, httpProbe, type Probe } from "./probe";
import { forwardDirective } from "./resolvers";
import { QUERY_TIMEOUT, run } from "./shell";
import { START_TIMEOUTS, type Timeouts, type Wait, WaitError, waitFor } from "./wait";

const NAMESPACE = "kube-system";
/** Attempts of work that needs the API server, which may fail in the meantime (it restarts, or its disk stalls). */
const ATTEMPTS = 5;
/** The start of a pod has long steps without visible progress (unpacking an image); the total is for pods that always crash. */
const POD_TIMEOUTS: Timeouts = { stall: 180_000, total: 1_200_000 };
/** Interval of reading the pods, in milliseconds. */
const POD_PAUSE = 500;

type Kubectl = (...args: string[]) => Promise<string>;

/** kubectl as the lab's administrator. */
export function kubectlOf({ lab, tool }: ClusterConfig): Kubectl {
  const own = ["--kubeconfig", lab.paths.kubeconfig];
  return (...args) => run(tool("kubectl"), [...own, ...args]);
}

/** Runs work that needs the API server, and retries it after a failure once the API server is ready. */
export async function withRetries<T>(cluster: ClusterConfig, work: () => Promise<T>): Promise<T> {
  const { lab, link } = cluster;
  const ready = httpProbe(`${apiServerUrl(link)}/readyz`, adminIdentity(lab));
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS) {
        throw error;
      }
      await delay(attempt * 1000);
      await waitFor(ready, START_TIMEOUTS);
    }
  }
}

/** Applies a file or folder of manifests. */
export async function apply(cluster: ClusterConfig, path: string): Promise<void> {
  const flags = ["--server-side", "--force-conflicts", "--field-manager=lab"];
  await withRetries(cluster, () => kubectlOf(cluster)("apply", ...flags, "-f", path));
}

/** Applies files of lab/addons that a component needs before it starts, and that need no image. */
export async function applyManifests(
  cluster: ClusterConfig,
  files: readonly string[],
): Promise<void> {
  const { lab, registryPort } = cluster;
  const values = { variables: variablesOf(cluster), images: {}, registryPort };
  const path = configFile(lab, `needs-${files.join("-")}`);
  writeIfChanged(path, toYaml(renderAddons(values, files)));
  await apply(cluster, path);
}

/** Applies the add-ons and waits until they are ready. `images` maps upstream references to digests. */
export async function installAddons(
  cluster: ClusterConfig,
  images: Readonly<Record<string, string>>,
  wait: Pick<Wait, "checkFailed" | "report">,
): Promise<void> {
  const { lab, registryPort } = cluster;
  const manifests = renderAddons({ variables: variablesOf(cluster), images, registryPort });
  const file = configFile(lab, "addons.yaml");
  writeIfChanged(file, toYaml(manifests));
  await apply(cluster, file);
  await ready(cluster, manifests, { ...POD_TIMEOUTS, ...wait, pause: POD_PAUSE });
}

function variablesOf({ lab, resolvers }: ClusterConfig): Record<string, string> {
  const { ca, cert, key } = identityOf(lab.paths.pki, "metrics-server");
  const base64 = (path: string) => readFileSync(path).toString("base64");
  return {
    VOLUMES: lab.paths.volumes,
    // As addresses: CoreDNS reloads its configuration, while a pod keeps the resolv.conf that it was created with.
    FORWARD: forwardDirective(resolvers),
    CA_BUNDLE: base64(ca),
    METRICS_SERVER_CRT: base64(cert),
    METRICS_SERVER_KEY: base64(key),
  };
}

/** Reads a path of the API server. */
export function get<T>({ lab, link }: ClusterConfig, path: string): Promise<T> {
  return getJson<T>(`${apiServerUrl(link)}${path}`, adminIdentity(lab));
}

/**
 * A probe of the API server's schema. The server builds it at the first request after an aggregated API has changed, which a
 * slow machine does not finish before clients time out (Pulumi's Kubernetes provider: 32 s).
 */
function schemaProbe({ lab, link }: ClusterConfig): Probe {
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  return httpProbe(`${apiServerUrl(link)}/openapi/v2`, adminIdentity(lab), accept);
}

async function ready(
  cluster: ClusterConfig,
  manifests: readonly Manifest[],
  wait: Wait,
): Promise<void> {
  const names = manifests.filter(({ kind }) => kind === "Deployment").map((m) => m.metadata.name);
  try {
    await waitFor(() => podsReady(cluster, names), wait);
    await Promise.all([
      waitFor(() => metricsAvailable(cluster), wait),
      waitFor(httpProbe(`http://127.0.0.1:${cluster.ingressPort}/`), wait),
      waitFor(schemaProbe(cluster), wait),
    ]);
  } catch (error) {
    if (!(error instanceof WaitError)) {
      throw error;
    }
    throw new LabError(`The add-ons are not ready: ${error.message}.${await lastEvents(cluster)}`);
  }
}

async function lastEvents(cluster: ClusterConfig): Promise<string> {
  const list = ["-n", NAMESPACE, "get", "events", "--sort-by=.lastTimestamp", "--no-headers"];
  const events = await kubectlOf(cluster)(...list).catch(() => "");
  const last = events.trimEnd().split("\n").slice(-8).join("\n");
  return last ? ` Last events of ${NAMESPACE}:\n${last}` : "";
}

/** Fails, with the reason for each pod, until the current pod of every Deployment runs and is ready. */
async function podsReady(cluster: ClusterConfig, names: readonly string[]): Promise<void> {
  const { lab } = cluster;
  const [deployments, pods] = await Promise.all([
    get<{ items: Deployment[] }>(cluster, `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`),
    get<{ items: Pod[] }>(cluster, `/api/v1/namespaces/${NAMESPACE}/pods`),
  ]);
  const socket = join(lab.paths.run, "containerd", "containerd.sock");
  const list = ["-a", socket, "-n", "k8s.io", "tasks", "ls", "-q"];
  const running = new Set((await run("ctr", list, QUERY_TIMEOUT)).split("\n"));
  const waiting = notRolledOut(names, deployments.items, pods.items, running);
  if (waiting.length === 0) {
    return;
  }
  const problems = podProblems(pods.items);
  const why = problems.length > 0 ? ` (${problems.join("; ")})` : "";
  throw new Error(`${waiting.join(", ")}: not ready${why}`);
}

async function metricsAvailable(cluster: ClusterConfig): Promise<void> {
  const { items } = await get<{ items: unknown[] }>(cluster, "/apis/metrics.k8s.io/v1beta1/nodes");
  if (items.length === 0) {
    throw new Error("metrics-server has no metrics of the node yet");
  }
}
