import { copyFileSync, existsSync, rmSync } from "node:fs";
import { duration, type Report, which } from "../../toolchain";
import { provideImages } from "../images";
import { ensureDebianPackages, labTools, type ToolName } from "../tools";
import { linkAddresses } from "./addresses";
import { registerBuilder, removeBuilder } from "./builder";
import { createCgroups } from "./cgroups";
import { controlPlane } from "./control-plane";
import { delivery } from "./delivery";
import { writeIfChanged } from "./files";
import { addRules, labRules, removeRules } from "./firewall";
import { identify, type Lab, LabError, type LabOptions } from "./identity";
import { installAddons } from "./install";
import { prepareKernel } from "./kernel";
import { renderKubeconfig } from "./kubeconfig";
import { createMounts, createNetwork, freeSubnet, namespacesExist, outerMtu } from "./namespaces";
import { node, nodeVersions } from "./node";
import { checkOwner, claim, exclusively } from "./ownership";
import { type Blueprint, kubeconfigOf, type Part } from "./part";
import { ensurePki, identityOf, USERS } from "./pki";
import { upstreamResolvers } from "./resolvers";
import { checkPorts, choosePorts, readSettings, type Settings, writeSettings } from "./settings";
import { type PartStatus, requireRunning, startParts, statusOf } from "./supervisor";
import { tearDown } from "./teardown";

/** What the lab takes from Debian; Docker's packages bring the two of ENGINE too, and must not be replaced. */
const PACKAGES = [
  ...["etcd-server", "containernetworking-plugins", "docker-registry"],
  ...["iproute2", "iptables", "ipset", "conntrack", "socat", "openssl"],
];
const ENGINE = ["containerd", "runc"];
const TOOLS = [
  ...["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"],
  ...["kubectl", "kube-router", "buildkitd", "buildctl", "buildx"],
] as ToolName[];

/** What a running lab offers; also in the file `lab.json` of its folder. Paths are absolute. */
export interface LabInfo {
  name: string;
  folder: string;
  nodeAddress: string;
  kubeconfig: string;
  context: string;
  /** Registry for the host, BuildKit and containerd alike: `127.0.0.1:5001`. */
  registry: string;
  /** Base URL of the ingress; any host name below `localhost` works too. */
  ingress: string;
  /** Name of the buildx builder. */
  builder: string;
  /** File: upstream image reference -> digest in the lab's registry. */
  imagesLock: string;
  /** File: the authorities that this machine trusts, for downloads within image builds. */
  ca: string;
}

/** Starts or repairs a lab, and returns when all of it serves. What is well is left alone. */
export async function startLab(options: LabOptions, report: Report): Promise<LabInfo> {
  const lab = identify(options);
  requireMachine();
  return exclusively(lab, async () => {
    checkOwner(lab);
    const settings = await chooseSettings(lab, options);
    const packages = [...PACKAGES, ...ENGINE.filter((program) => !which(program))];
    await timed("Debian packages", report, () => ensureDebianPackages(packages, report));
    const tools = await timed("tools", report, () => labTools.ensure(TOOLS, report));
    const tool = (name: string) => tools.get(name as ToolName) ?? name;
    const blueprint = await blueprintOf(lab, settings, tool);
    await timed("network and keys", report, () => prepare(blueprint));
    const images = await startAll(blueprint, report);
    await registerBuilder(lab, tool("buildx"));
    await timed("add-ons", report, () => installAddons(blueprint, images));
    requireRunning(lab, partsOf(blueprint));
    return publish(blueprint, images);
  });
}

/** Stops everything that a lab runs and keeps its data: the next start has its pods and volumes back. */
export async function stopLab(options: LabOptions, report: Report): Promise<void> {
  const lab = identify(options);
  requireMachine();
  await exclusively(lab, async () => {
    checkOwner(lab);
    await timed("stop", report, () => tearDown(lab));
  });
}

/** Stops a lab and removes every trace of it, data included. Works whatever state the lab is in. */
export async function resetLab(options: LabOptions, report: Report): Promise<void> {
  const lab = identify(options);
  requireMachine();
  refuseStrangeFolder(lab);
  await exclusively(lab, async () => {
    checkOwner(lab);
    await timed("stop", report, () => tearDown(lab));
    const buildx = await labTools.find("buildx");
    if (buildx) await removeBuilder(lab, buildx);
    rmSync(lab.paths.folder, { recursive: true, force: true });
  });
}

/** What `labStatus` finds. */
export interface LabStatus {
  info: LabInfo;
  parts: PartStatus[];
  /** What runs on the node, as `name version`; empty while the API server does not answer. */
  versions: string[];
}

/** State of a lab's parts, without changing anything. */
export async function labStatus(options: LabOptions): Promise<LabStatus> {
  const lab = identify(options);
  requireMachine();
  const settings = readSettings(lab);
  if (!settings) throw new LabError(`There is no lab in ${lab.paths.folder}. Start one with "up".`);
  const found = new Map<string, string>();
  for (const name of TOOLS) found.set(name, (await labTools.find(name)) ?? name);
  const blueprint = await blueprintOf(lab, settings, (name) => found.get(name) ?? name);
  const parts = await statusOf(lab, partsOf(blueprint));
  return { info: infoOf(blueprint), parts, versions: await nodeVersions(blueprint) };
}

/** Path of a lab's kubeconfig. Throws where the lab has not been started yet. */
export function kubeconfigPath(options: LabOptions): string {
  const { kubeconfig, folder } = identify(options).paths;
  if (!existsSync(kubeconfig)) {
    throw new LabError(`There is no lab in ${folder}. Start one with "up".`);
  }
  return kubeconfig;
}

function requireMachine(): void {
  if (process.platform === "linux" && process.getuid?.() === 0) return;
  throw new LabError(
    "The lab needs Linux and root: it makes namespaces, mounts and firewall rules.\n" +
      "Run it as root (sudo), or use a cluster of your own: --context NAME.",
  );
}

function refuseStrangeFolder({ paths }: Lab): void {
  if (existsSync(paths.folder) && !existsSync(paths.settings)) {
    throw new LabError(`${paths.folder} is not the folder of a lab: nothing was removed.`);
  }
}

async function timed<T>(what: string, report: Report, work: () => Promise<T>): Promise<T> {
  const begin = Date.now();
  const result = await work();
  report(`${what}: ${duration(Date.now() - begin)}`);
  return result;
}

async function chooseSettings(lab: Lab, options: LabOptions): Promise<Required<Settings>> {
  const remembered = readSettings(lab);
  const ports = await choosePorts(lab, options, remembered);
  await checkPorts(lab, ports);
  const running = namespacesExist(lab) ? remembered?.subnet : undefined;
  const subnet = running ?? (await freeSubnet(lab, remembered?.subnet));
  const settings = { name: lab.name, subnet, ...ports };
  writeSettings(lab, settings);
  return settings;
}

async function blueprintOf(
  lab: Lab,
  { subnet, registryPort, ingressPort }: Settings,
  tool: Blueprint["tool"],
): Promise<Blueprint> {
  const link = linkAddresses(subnet ?? "");
  const [mtu, resolvers] = [await outerMtu(), upstreamResolvers()];
  return { lab, link, mtu, registryPort, ingressPort, resolvers, tool };
}

/** All that the parts need before they can start: namespaces, rules, cgroups, keys. */
async function prepare({ lab, link, mtu }: Blueprint): Promise<void> {
  claim(lab);
  prepareKernel();
  createCgroups(lab.scope);
  await createNetwork(lab, link, mtu);
  await removeRules(lab.scope);
  await addRules(labRules(lab.scope, lab.link, link.subnet));
  await createMounts(lab);
  await ensurePki(lab.paths.pki, lab.label, link.node);
  for (const user of [...Object.keys(USERS), "kubelet"]) {
    const text = renderKubeconfig(lab.label, link.node, identityOf(lab.paths.pki, user));
    const path = user === "admin" ? lab.paths.kubeconfig : kubeconfigOf(lab, user);
    writeIfChanged(path, text);
  }
}

function partsOf(blueprint: Blueprint): Part[] {
  return [...delivery(blueprint), ...controlPlane(blueprint), ...node(blueprint)];
}

/** Starts all parts; images are assembled and pushed while the control plane comes up. */
async function startAll(blueprint: Blueprint, report: Report): Promise<Record<string, string>> {
  const { lab, registryPort } = blueprint;
  const supply = async () => {
    await startParts(lab, delivery(blueprint), report);
    const registry = `127.0.0.1:${registryPort}`;
    return timed("images", report, () => provideImages({ registry }, report));
  };
  const cluster = startParts(lab, [...controlPlane(blueprint), ...node(blueprint)], report);
  const [images, running] = await Promise.allSettled([supply(), cluster]);
  if (images.status === "rejected") throw images.reason;
  if (running.status === "rejected") throw running.reason;
  return images.value;
}

function infoOf({ lab, link, registryPort, ingressPort }: Blueprint): LabInfo {
  return {
    name: lab.name,
    folder: lab.paths.folder,
    nodeAddress: link.node,
    kubeconfig: lab.paths.kubeconfig,
    context: lab.label,
    registry: `127.0.0.1:${registryPort}`,
    ingress: `http://127.0.0.1:${ingressPort}`,
    builder: lab.label,
    imagesLock: lab.paths.imagesLock,
    ca: lab.paths.caBundle,
  };
}

function publish(blueprint: Blueprint, images: Record<string, string>): LabInfo {
  const { paths } = blueprint.lab;
  const info = infoOf(blueprint);
  const sorted = Object.fromEntries(Object.entries(images).sort(([a], [b]) => (a < b ? -1 : 1)));
  const write = (path: string, value: unknown) =>
    writeIfChanged(path, `${JSON.stringify(value, undefined, 2)}\n`);
  write(paths.imagesLock, sorted);
  copyFileSync(process.env.SSL_CERT_FILE ?? "/etc/ssl/certs/ca-certificates.crt", paths.caBundle);
  write(paths.info, info);
  return info;
}
