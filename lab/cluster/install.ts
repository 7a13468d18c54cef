import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Manifest, missingPods, type Pod, renderAddons, toYaml } from "./addons";
import { writeIfChanged } from "./files";
import { type Lab, LabError } from "./identity";
import { type Blueprint, configFile } from "./part";
import { identityOf } from "./pki";
import { httpProbe, until } from "./probe";
import { run } from "./shell";

const NAMESPACE = "kube-system";
/** The folder whose go.mod pins the Gateway API. */
const GATEWAY_API = resolve(__dirname, "../addons/gateway-api");
/** Time for the add-ons' pods to become ready, in milliseconds. */
const READY_DEADLINE = 180_000;
/** Longest time for one kubectl command, in milliseconds; the CRDs are a megabyte. */
const KUBECTL_TIMEOUT = 60_000;

type Kubectl = (...args: string[]) => Promise<string>;

function kubectlOf({ lab, tool }: Blueprint): Kubectl {
  const own = ["--kubeconfig", lab.paths.kubeconfig];
  return (...args) => run(tool("kubectl"), [...own, ...args], KUBECTL_TIMEOUT);
}

/** Applies the add-ons and waits until they serve. `images` maps upstream references to digests. */
export async function installAddons(
  blueprint: Blueprint,
  images: Readonly<Record<string, string>>,
): Promise<void> {
  const { lab, registryPort } = blueprint;
  const kubectl = kubectlOf(blueprint);
  const apply = (path: string) =>
    kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=lab", "-f", path);
  await defineGateways(kubectl, apply);
  const variables = variablesOf(lab);
  const manifests = renderAddons({ variables, images, registryPort });
  const file = configFile(lab, "addons.yaml");
  writeIfChanged(file, toYaml(manifests));
  await apply(file);
  await ready(blueprint, kubectl, manifests);
}

function variablesOf(lab: Lab): Record<string, string> {
  const { ca, cert, key } = identityOf(lab.paths.pki, "metrics-server");
  const base64 = (path: string) => readFileSync(path).toString("base64");
  return {
    VOLUMES: lab.paths.volumes,
    CA_BUNDLE: base64(ca),
    METRICS_SERVER_CRT: base64(cert),
    METRICS_SERVER_KEY: base64(key),
  };
}

/** Makes sure of the Gateway API's standard CRDs, from the cache of verified Go modules; they take seconds to apply. */
async function defineGateways(kubectl: Kubectl, apply: (path: string) => Promise<string>) {
  const answer = await run("go", ["-C", GATEWAY_API, "mod", "download", "-json"], 300_000);
  const { Dir, Version } = JSON.parse(answer) as { Dir: string; Version: string };
  const folder = join(Dir, "config", "crd", "standard");
  const versions = String.raw`jsonpath={.items[*].metadata.annotations.gateway\.networking\.k8s\.io/bundle-version}`;
  const found = await kubectl("get", "--ignore-not-found", "-f", folder, "-o", versions);
  const files = readdirSync(folder).length;
  const current = found.split(" ").filter((version) => version === Version);
  if (current.length >= files) return;
  await apply(folder);
  const gatewayClass = "crd/gatewayclasses.gateway.networking.k8s.io";
  await kubectl("wait", "--for=condition=Established", gatewayClass);
}

async function ready(blueprint: Blueprint, kubectl: Kubectl, manifests: readonly Manifest[]) {
  const names = manifests.filter(({ kind }) => kind === "Deployment").map((m) => m.metadata.name);
  try {
    await Promise.all([
      until(() => podsStand(blueprint, kubectl, names), READY_DEADLINE),
      until(() => metricsAnswer(kubectl), READY_DEADLINE),
      until(httpProbe(`http://127.0.0.1:${blueprint.ingressPort}/`), READY_DEADLINE),
    ]);
  } catch (error) {
    const events = await kubectl("-n", NAMESPACE, "get", "events", "--sort-by=.lastTimestamp");
    const last = events.trimEnd().split("\n").slice(-8).join("\n");
    throw new LabError(
      `Add-ons: ${(error as Error).message}. Last events of ${NAMESPACE}:\n${last}`,
    );
  }
}

async function podsStand({ lab }: Blueprint, kubectl: Kubectl, names: readonly string[]) {
  const rollouts = names.map((name) => `deployment/${name}`);
  await kubectl("-n", NAMESPACE, "wait", "--for=condition=Available", "--timeout=30s", ...rollouts);
  const pods = JSON.parse(await kubectl("-n", NAMESPACE, "get", "pods", "-o", "json"));
  const socket = join(lab.paths.run, "containerd", "containerd.sock");
  const running = await run("ctr", ["-a", socket, "-n", "k8s.io", "tasks", "ls", "-q"]);
  const missing = missingPods(names, pods.items as Pod[], new Set(running.split("\n")));
  if (missing.length > 0) throw new Error(`${missing.join(", ")} not ready`);
}

async function metricsAnswer(kubectl: Kubectl): Promise<void> {
  const answer = JSON.parse(await kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"));
  if (answer.items.length === 0) throw new Error("metrics-server has no reading of the node yet");
}
