import { existsSync } from "node:fs";
import type { Report } from "../../toolchain";
import { writeCharts } from "../charts";
import { pushImages } from "../images";
import { ensureDebianPackages, labTools, type ToolName } from "../tools";
import { linkAddresses } from "./addresses";
import { registerBuilder, removeBuilder, removeBuilderFolder } from "./builder";
import { cgroupRoot } from "./cgroups";
import type { ClusterConfig, Component } from "./component";
import { controlPlane } from "./control-plane";
import { installCrds } from "./crds";
import { delivery } from "./delivery";
import { removeFolder } from "./files";
import { type ComponentStatus, statusOf, stoppedComponents } from "./health";
import { identify, type Lab, LabError, type LabOptions } from "./identity";
import { infoOf, type LabInfo, publish } from "./info";
import { applyManifests, installAddons } from "./install";
import { requireMachine } from "./machine";
import { freeSubnet, namespacesExist, uplinkMtu } from "./namespaces";
import { node } from "./node";
import { nodeVersions, podsKnown } from "./node-state";
import { checkOwner, hasLostData, withLabLock } from "./ownership";
import { prepare } from "./prepare";
import {
  type Prerequisites,
  type StartSteps,
  startPrerequisites,
  TOOLS,
  timed,
} from "./prerequisites";
import { NO_RESOLVERS, upstreamResolvers } from "./resolvers";
import {
  checkPorts,
  choosePorts,
  FIRST_PORTS,
  readSettings,
  type Settings,
  writeSettings,
} from "./settings";
import { requireRunning, startComponents, waitUntilReady, watchComponents } from "./supervisor";
import { tearDown } from "./teardown";
import { START_TIMEOUTS, waitFor, waitForAll } from "./wait";

export type { LabInfo } from "./info";

/**
 * Starts or repairs a lab, and returns when all of it is ready. Healthy components are not changed.
 * @param steps steps that the caller replaces or observes
 */
export async function startLab(
  options: LabOptions,
  report: Report,
  steps: Partial<StartSteps> = {},
): Promise<LabInfo> {
  const lab = identify(options);
  requireMachine();
  return withLabLock(lab, async () => {
    checkOwner(lab);
    if (hasLostData(lab)) {
      report("the data of this lab was removed while it ran: its processes are stopped first");
      await tearDown(lab);
    }
    // Its commands list the sockets and networks of this machine.
    await ensureDebianPackages(["iproute2"], report);
    const settings = await chooseSettings(lab, options);
    const prerequisites = startPrerequisites(steps, report);
    const [, tools] = await waitForAll([prerequisites.packages, prerequisites.tools], report);
    const tool = (name: string) => tools.get(name as ToolName) ?? name;
    const cluster = await clusterConfig(lab, settings, tool);
    if (cluster.resolvers.length === 0) {
      report(NO_RESOLVERS);
    }
    await timed("network and keys", report, () => prepare(cluster));
    const images = await startAll(cluster, prerequisites, report);
    return publish(cluster, images);
  });
}

/** Stops everything that a lab runs and keeps its data: the next start has the same pods and volumes. */
export async function stopLab(options: LabOptions, report: Report): Promise<void> {
  const lab = identify(options);
  requireMachine();
  await withLabLock(lab, async () => {
    checkOwner(lab);
    await timed("stop", report, () => tearDown(lab));
  });
}

/** Stops a lab and removes all of it, including its data. Works in any state of the lab. */
export async function resetLab(options: LabOptions, report: Report): Promise<void> {
  const lab = identify(options);
  requireMachine();
  requireLabFolder(lab);
  await withLabLock(lab, async () => {
    checkOwner(lab);
    await timed("stop", report, () => tearDown(lab));
    const buildx = await labTools.find("buildx");
    if (buildx) {
      await removeBuilder(lab, buildx);
    }
    removeBuilderFolder(lab);
    removeFolder(lab.paths);
  });
}

/** The result of `labStatus`. */
export interface LabStatus {
  readonly info: LabInfo;
  readonly components: ComponentStatus[];
  /** Software on the node, as `name version`; empty if the API server does not respond. */
  readonly versions: string[];
}

/** One line for each component of a running lab that has exited; none if all run, or if no lab runs. Needs no root. */
export function labTrouble(options: LabOptions): string[] {
  return stoppedComponents(identify(options));
}

/** State of a lab's components. Changes nothing. */
export async function labStatus(options: LabOptions): Promise<LabStatus> {
  const lab = identify(options);
  requireMachine();
  const settings = readSettings(lab);
  if (!settings) {
    throw new LabError(`There is no lab in ${lab.paths.folder}. Start one with "up".`);
  }
  const found = new Map<string, string>();
  for (const name of TOOLS) {
    found.set(name, (await labTools.find(name)) ?? name);
  }
  const cluster = await clusterConfig(lab, settings, (name) => found.get(name) ?? name);
  const components = await statusOf(lab, componentsOf(cluster));
  return { info: infoOf(cluster), components, versions: await nodeVersions(cluster) };
}

/** Path of a lab's kubeconfig. Throws if the lab has never been started. */
export function kubeconfigPath(options: LabOptions): string {
  const { kubeconfig, folder } = identify(options).paths;
  if (!existsSync(kubeconfig)) {
    throw new LabError(`There is no lab in ${folder}. Start one with "up".`);
  }
  return kubeconfig;
}

function requireLabFolder({ paths }: Lab): void {
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

async function clusterConfig(
  lab: Lab,
  { subnet, httpsPort = FIRST_PORTS.httpsPort, ...ports }: Settings,
  tool: ClusterConfig["tool"],
): Promise<ClusterConfig> {
  const link = linkAddresses(subnet ?? "");
  const [mtu, resolvers] = [await uplinkMtu(), upstreamResolvers()];
  const cgroups = cgroupRoot(lab.scope);
  return { lab, link, mtu, ...ports, httpsPort, resolvers, cgroupRoot: cgroups, tool };
}

/** All components, each after those that it depends on. */
function componentsOf(cluster: ClusterConfig): Component[] {
  return [...controlPlane(cluster), ...node(cluster), ...delivery(cluster)];
}

/** Starts all components, and other work as soon as the component that it needs is ready; returns when all is ready. */
function startAll(cluster: ClusterConfig, prerequisites: Prerequisites, report: Report) {
  const { lab, registryPort, tool } = cluster;
  const components = componentsOf(cluster);
  return watchComponents(lab, components, report, async () => {
    const apply = (files: readonly string[]) => applyManifests(cluster, files);
    const started = startComponents(lab, components, apply, report);
    const ready = (...names: string[]) => Promise.all(names.map((name) => started.get(name)));
    const images = ready("registry", "registry-forwarder").then(async () => {
      const assembled = await prerequisites.images;
      return pushImages(`127.0.0.1:${registryPort}`, assembled, report);
    });
    const crds = ready("apiserver").then(() => installCrds(cluster));
    const builder = ready("buildkitd").then(() => registerBuilder(lab, tool("buildx")));
    const charts = writeCharts(lab.paths.charts);
    const work = [images, crds, builder, charts, ...started.values()] as const;
    const [digests] = await waitForAll(work, report);
    const wait = {
      checkFailed: () => requireRunning(lab, components),
      report: (line: string) => report(`add-ons: ${line}`),
    };
    await timed("add-ons", report, () => installAddons(cluster, digests, wait));
    // A component that has just exited is being restarted.
    await Promise.all(components.map((component) => waitUntilReady(lab, component, report)));
    await waitFor(() => podsKnown(cluster), START_TIMEOUTS);
    return digests;
  });
}
