import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { go } from "../../toolchain";
import {
  type Deployment,
  type Manifest,
  notRolledOut,
  type Pod,
  podTroubles,
  renderAddons,
  toYaml,
} from "./addons";
import { writeIfChanged } from "./files";
import { LabError } from "./identity";
import { adminIdentity, apiServerUrl, type Blueprint, configFile } from "./part";
import { identityOf } from "./pki";
import { getJson, httpProbe } from "./probe";
import { forwardDirective } from "./resolvers";
import { LOOK_TIMEOUT, run } from "./shell";
import { type Patience, START_PATIENCE, type Wait, WaitError, waitFor } from "./wait";

const NAMESPACE = "kube-system";
/** The folder whose go.mod pins the Gateway API. */
const GATEWAY_API = resolve(__dirname, "../addons/gateway-api");
/** How often work is tried, where the API server fails meanwhile (it is restarted, or its disk stands still). */
const TRIES = 5;
/** A pod's start has long steps that show nothing (an image is unpacked); the bound ends a pod that ends for ever. */
const POD_PATIENCE: Patience = { quiet: 180_000, bound: 1_200_000 };
/** Pause between two looks at the pods, in milliseconds. */
const POD_PAUSE = 500;

type Kubectl = (...args: string[]) => Promise<string>;

function kubectlOf({ lab, tool }: Blueprint): Kubectl {
  const own = ["--kubeconfig", lab.paths.kubeconfig];
  return (...args) => run(tool("kubectl"), [...own, ...args]);
}

/** Does what the API server is needed for; after a failure again, when it is well. */
async function persistently<T>(blueprint: Blueprint, work: () => Promise<T>): Promise<T> {
  const { lab, link } = blueprint;
  const ready = httpProbe(`${apiServerUrl(link)}/readyz`, adminIdentity(lab));
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES) throw error;
      await delay(tries * 1000);
      await waitFor(ready, START_PATIENCE);
    }
  }
}

async function apply(blueprint: Blueprint, path: string): Promise<void> {
  const flags = ["--server-side", "--force-conflicts", "--field-manager=lab"];
  await persistently(blueprint, () => kubectlOf(blueprint)("apply", ...flags, "-f", path));
}

/** Applies files of lab/addons that need no image: what a part needs before it is started. */
export async function applyNeeds(blueprint: Blueprint, files: readonly string[]): Promise<void> {
  const { lab, registryPort } = blueprint;
  const values = { variables: variablesOf(blueprint), images: {}, registryPort };
  const path = configFile(lab, `needs-${files.join("-")}`);
  writeIfChanged(path, toYaml(renderAddons(values, files)));
  await apply(blueprint, path);
}

/** Applies the add-ons and waits until they serve. `images` maps upstream references to digests. */
export async function installAddons(
  blueprint: Blueprint,
  images: Readonly<Record<string, string>>,
  wait: Pick<Wait, "hopeless" | "tell">,
): Promise<void> {
  const { lab, registryPort } = blueprint;
  const manifests = renderAddons({ variables: variablesOf(blueprint), images, registryPort });
  const file = configFile(lab, "addons.yaml");
  writeIfChanged(file, toYaml(manifests));
  await apply(blueprint, file);
  await ready(blueprint, manifests, { ...POD_PATIENCE, ...wait, pause: POD_PAUSE });
}

function variablesOf({ lab, resolvers }: Blueprint): Record<string, string> {
  const { ca, cert, key } = identityOf(lab.paths.pki, "metrics-server");
  const base64 = (path: string) => readFileSync(path).toString("base64");
  return {
    VOLUMES: lab.paths.volumes,
    // By address: CoreDNS reads these again when they change, while a pod keeps the resolv.conf that it was made with.
    FORWARD: forwardDirective(resolvers),
    CA_BUNDLE: base64(ca),
    METRICS_SERVER_CRT: base64(cert),
    METRICS_SERVER_KEY: base64(key),
  };
}

/** Makes sure of the Gateway API's standard CRDs, from the cache of verified Go modules; they take seconds to apply. */
export async function defineGateways(blueprint: Blueprint): Promise<void> {
  const answer = await go(GATEWAY_API, ["mod", "download", "-json"]);
  const { Dir, Version } = JSON.parse(answer) as { Dir: string; Version: string };
  const folder = join(Dir, "config", "crd", "standard");
  const versions = String.raw`jsonpath={.items[*].metadata.annotations.gateway\.networking\.k8s\.io/bundle-version}`;
  const list = ["get", "--ignore-not-found", "-f", folder, "-o", versions];
  const found = await persistently(blueprint, () => kubectlOf(blueprint)(...list));
  const current = found.split(" ").filter((version) => version === Version);
  if (current.length >= readdirSync(folder).length) return;
  await apply(blueprint, folder);
  const classes = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";
  await waitFor(async () => void (await get(blueprint, classes)), START_PATIENCE);
}

function get<T>({ lab, link }: Blueprint, path: string): Promise<T> {
  return getJson<T>(`${apiServerUrl(link)}${path}`, adminIdentity(lab));
}

async function ready(
  blueprint: Blueprint,
  manifests: readonly Manifest[],
  wait: Wait,
): Promise<void> {
  const names = manifests.filter(({ kind }) => kind === "Deployment").map((m) => m.metadata.name);
  try {
    await waitFor(() => podsStand(blueprint, names), wait);
    await Promise.all([
      waitFor(() => metricsAnswer(blueprint), wait),
      waitFor(httpProbe(`http://127.0.0.1:${blueprint.ingressPort}/`), wait),
    ]);
  } catch (error) {
    if (!(error instanceof WaitError)) throw error;
    throw new LabError(`The add-ons do not serve: ${error.message}.${await lastEvents(blueprint)}`);
  }
}

async function lastEvents(blueprint: Blueprint): Promise<string> {
  const list = ["-n", NAMESPACE, "get", "events", "--sort-by=.lastTimestamp", "--no-headers"];
  const events = await kubectlOf(blueprint)(...list).catch(() => "");
  const last = events.trimEnd().split("\n").slice(-8).join("\n");
  return last ? ` Last events of ${NAMESPACE}:\n${last}` : "";
}

/** Fails, with what each pod waits for, until the current pod of every deployment runs and is ready. */
async function podsStand(blueprint: Blueprint, names: readonly string[]): Promise<void> {
  const { lab } = blueprint;
  const [deployments, pods] = await Promise.all([
    get<{ items: Deployment[] }>(blueprint, `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`),
    get<{ items: Pod[] }>(blueprint, `/api/v1/namespaces/${NAMESPACE}/pods`),
  ]);
  const socket = join(lab.paths.run, "containerd", "containerd.sock");
  const list = ["-a", socket, "-n", "k8s.io", "tasks", "ls", "-q"];
  const running = new Set((await run("ctr", list, LOOK_TIMEOUT)).split("\n"));
  const waiting = notRolledOut(names, deployments.items, pods.items, running);
  if (waiting.length === 0) return;
  const troubles = podTroubles(pods.items);
  const why = troubles.length > 0 ? ` (${troubles.join("; ")})` : "";
  throw new Error(`${waiting.join(", ")}: not ready${why}`);
}

async function metricsAnswer(blueprint: Blueprint): Promise<void> {
  const { items } = await get<{ items: unknown[] }>(
    blueprint,
    "/apis/metrics.k8s.io/v1beta1/nodes",
  );
  if (items.length === 0) throw new Error("metrics-server has no reading of the node yet");
}
