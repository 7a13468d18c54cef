import { copyFileSync, existsSync } from "node:fs";
import type { Report } from "../../toolchain";
import { writeCharts } from "../charts";
import { pushImages } from "../images";
import { ensureDebianPackages, labTools, type ToolName } from "../tools";
import { linkAddresses } from "./addresses";
import { registerBuilder, removeBuilder, removeBuilderFolder } from "./builder";
import { cgroupRoot } from "./cgroups";
import { controlPlane } from "./control-plane";
import { delivery } from "./delivery";
import { removeFolder, writeIfChanged } from "./files";
import { type PartStatus, statusOf, troubleOf } from "./health";
import { identify, type Lab, LabError, type LabOptions } from "./identity";
import { applyNeeds, defineGateways, installAddons } from "./install";
import { requireMachine } from "./machine";
import { freeSubnet, namespacesExist, outerMtu } from "./namespaces";
import { node } from "./node";
import { nodeVersions, podsKnown } from "./node-state";
import { checkOwner, exclusively, hasLostData } from "./ownership";
import type { Blueprint, Part } from "./part";
import { prepare } from "./prepare";
import { NO_RESOLVERS, upstreamResolvers } from "./resolvers";
import { checkPorts, choosePorts, readSettings, type Settings, writeSettings } from "./settings";
import { becomeWell, overseen, requireAlive, startParts } from "./supervisor";
import { gatherSupplies, type StartSteps, type Supplies, TOOLS, timed } from "./supplies";
import { tearDown } from "./teardown";
import { START_PATIENCE, together, waitFor } from "./wait";

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
  /** Folder of the charts that the lab provides, each below its name: `cert-manager`. */
  charts: string;
  /** File: the authorities that this machine trusts, for downloads within image builds. */
  ca: string;
}

/**
 * Starts or repairs a lab, and returns when all of it serves. What is well is left alone.
 * @param steps what the caller does otherwise, or hears of
 */
export async function startLab(
  options: LabOptions,
  report: Report,
  steps: Partial<StartSteps> = {},
): Promise<LabInfo> {
  const lab = identify(options);
  requireMachine();
  return exclusively(lab, async () => {
    checkOwner(lab);
    if (hasLostData(lab)) {
      report("the data of this lab was removed while it ran: what still runs is stopped first");
      await tearDown(lab);
    }
    // Who listens on a port, and which networks there are, is asked of its commands.
    await ensureDebianPackages(["iproute2"], report);
    const settings = await chooseSettings(lab, options);
    const supplies = gatherSupplies(steps, report);
    const [, tools] = await together([supplies.packages, supplies.tools], report);
    const tool = (name: string) => tools.get(name as ToolName) ?? name;
    const blueprint = await blueprintOf(lab, settings, tool);
    if (blueprint.resolvers.length === 0) report(NO_RESOLVERS);
    await timed("network and keys", report, () => prepare(blueprint));
    const images = await startAll(blueprint, supplies, report);
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
    removeBuilderFolder(lab);
    removeFolder(lab.paths);
  });
}

/** What `labStatus` finds. */
export interface LabStatus {
  info: LabInfo;
  parts: PartStatus[];
  /** What runs on the node, as `name version`; empty while the API server does not answer. */
  versions: string[];
}

/** One line for each part of a running lab that has ended; none where all run, or where no lab runs. Needs no rights. */
export function labTrouble(options: LabOptions): string[] {
  return troubleOf(identify(options));
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

function refuseStrangeFolder({ paths }: Lab): void {
  if (existsSync(paths.folder) && !existsSync(paths.settings)) {
    throw new LabError(`${paths.folder} is not the folder of a lab: nothing was removed.`);
  }
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
  const cgroups = cgroupRoot(lab.scope);
  return { lab, link, mtu, registryPort, ingressPort, resolvers, cgroupRoot: cgroups, tool };
}

/** In an order in which none comes after one that it depends on. */
function partsOf(blueprint: Blueprint): Part[] {
  return [...controlPlane(blueprint), ...node(blueprint), ...delivery(blueprint)];
}

/** Starts all parts, and whatever else can be done as soon as one of them is well; returns when all serves. */
function startAll(blueprint: Blueprint, supplies: Supplies, report: Report) {
  const { lab, registryPort, tool } = blueprint;
  const parts = partsOf(blueprint);
  return overseen(lab, parts, report, async () => {
    const provide = (files: readonly string[]) => applyNeeds(blueprint, files);
    const started = startParts(lab, parts, provide, report);
    const well = (...names: string[]) => Promise.all(names.map((name) => started.get(name)));
    const images = well("registry", "registry-forwarder").then(async () => {
      const assembled = await supplies.images;
      return pushImages(`127.0.0.1:${registryPort}`, assembled, report);
    });
    const gateways = well("apiserver").then(() => defineGateways(blueprint));
    const builder = well("buildkitd").then(() => registerBuilder(lab, tool("buildx")));
    const charts = writeCharts(lab.paths.charts);
    const work = [images, gateways, builder, charts, ...started.values()] as const;
    const [digests] = await together(work, report);
    const wait = {
      hopeless: () => requireAlive(lab, parts),
      tell: (line: string) => report(`add-ons: ${line}`),
    };
    await timed("add-ons", report, () => installAddons(blueprint, digests, wait));
    // One that ended a moment ago is being started again.
    await Promise.all(parts.map((part) => becomeWell(lab, part, report)));
    await waitFor(() => podsKnown(blueprint), START_PATIENCE);
    return digests;
  });
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
    charts: lab.paths.charts,
    ca: lab.paths.caBundle,
  };
}

function publish(blueprint: Blueprint, images: Record<string, string>): LabInfo {
  const { paths } = blueprint.lab;
  const info = infoOf(blueprint);
  const write = (path: string, value: unknown) =>
    writeIfChanged(path, `${JSON.stringify(value, undefined, 2)}\n`);
  write(paths.imagesLock, images);
  copyFileSync(process.env.SSL_CERT_FILE ?? "/etc/ssl/certs/ca-certificates.crt", paths.caBundle);
  write(paths.info, info);
  return info;
}
