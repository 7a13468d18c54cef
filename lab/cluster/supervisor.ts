import { readFileSync, statSync } from "node:fs";
import { duration, type Report } from "../../toolchain";
import { type Component, configFile, keysOf } from "./component";
import { writeIfChanged } from "./files";
import { describeExits } from "./health";
import { fingerprint, type Lab, LabError } from "./identity";
import { ageOf, cpuTimeOf, isSuspended } from "./process-record";
import {
  endOfLog,
  exitsOf,
  isInNamespaces,
  launch,
  logFile,
  runningProcess,
  runningSupervisor,
  stopProcess,
} from "./processes";
import { RECOVERY_TIMEOUTS, START_TIMEOUTS, WaitError, waitFor } from "./wait";

/** Age in milliseconds from which a component that is not ready no longer counts as starting. */
const STARTING = 600_000;
/** CPU time in milliseconds that counts as progress: an idle component uses less within the stall timeout. */
const CPU_STEP = 5_000;
/** Interval in milliseconds of the check for components that have exited. */
const WATCH_PAUSE = 500;

/** Applies files of lab/addons. */
export type ApplyManifests = (files: readonly string[]) => Promise<void>;

/**
 * Starts components that do not run, restarts those that are unhealthy or have another configuration, and does not change
 * the others. Each starts when the components in `after` are ready and the objects in `needs` are in the cluster.
 * @returns component -> promise that resolves when it is ready
 */
export function startComponents(
  lab: Lab,
  components: readonly Component[],
  apply: ApplyManifests,
  report: Report,
): ReadonlyMap<string, Promise<void>> {
  const started = new Map<string, Promise<void>>();
  const start = (component: Component): Promise<void> => {
    const known = started.get(component.name);
    if (known) {
      return known;
    }
    const needed = components.filter(({ name }) => component.after.includes(name));
    const work = Promise.all(needed.map(start)).then(() =>
      startComponent(lab, component, apply, report),
    );
    started.set(component.name, work);
    return work;
  };
  for (const component of components) {
    start(component);
  }
  return started;
}

async function startComponent(
  lab: Lab,
  component: Component,
  apply: ApplyManifests,
  report: Report,
): Promise<void> {
  const begin = Date.now();
  const setup = writeConfiguration(lab, component);
  const fault = await restartReason(lab, component, setup);
  if (!fault) {
    return;
  }
  await stopProcess(lab, component.name);
  if (component.needs) {
    await apply(component.needs);
  }
  const { name, command, inside = true } = component;
  await launch(lab, { name, command, fingerprint: setup, inside });
  await waitUntilReady(lab, component, report);
  const why = fault === "stopped" ? "" : ` (was ${fault})`;
  report(`${name}: started in ${duration(Date.now() - begin)}${why}`);
}

/** Why a component must be started or restarted; undefined if it need not be. */
async function restartReason(
  lab: Lab,
  component: Component,
  setup: string,
): Promise<string | undefined> {
  const record = runningProcess(lab, component.name);
  if (!record) {
    return "stopped";
  }
  if (record.fingerprint !== setup) {
    return "configured differently";
  }
  if ((component.inside ?? true) && !isInNamespaces(lab, record.pid)) {
    return "outside the lab's namespaces";
  }
  if (!runningSupervisor(lab, component.name)) {
    return "without its supervisor";
  }
  if (isSuspended(record.pid)) {
    return "stopped by a signal";
  }
  const timeouts = ageOf(record) < STARTING ? START_TIMEOUTS : RECOVERY_TIMEOUTS;
  try {
    await waitFor(component.probe, { ...timeouts, ...waitOptions(lab, component) });
    return undefined;
  } catch (error) {
    return `unhealthy: ${(error as Error).message.split("\n")[0]}`;
  }
}

/** Waits until a component is ready that was started, or that its supervisor restarts. */
export async function waitUntilReady(
  lab: Lab,
  component: Component,
  report: Report,
): Promise<void> {
  const reportWait = (line: string) =>
    report(`${component.name}: not ready yet: ${line}; its log is ${logFile(lab, component.name)}`);
  try {
    await waitFor(component.probe, {
      ...START_TIMEOUTS,
      ...waitOptions(lab, component),
      report: reportWait,
    });
  } catch (error) {
    if (!(error instanceof WaitError)) {
      throw error;
    }
    throw new LabError(
      `${component.name} is not ready: ${error.message}. ${endOfLog(lab, component.name)}`,
    );
  }
}

/** How progress and failure of a component are detected during a wait. */
function waitOptions(lab: Lab, { name }: Component) {
  const progress = () => {
    const pid = runningProcess(lab, name)?.pid;
    const size = statSync(logFile(lab, name), { throwIfNoEntry: false })?.size;
    return `${pid} ${size} ${pid && Math.floor(cpuTimeOf(pid) / CPU_STEP)}`;
  };
  const checkFailed = () => {
    if (hasFailed(lab, name)) {
      throw failureOf(lab, name);
    }
  };
  return { progress, checkFailed };
}

/** Writes a component's configuration and returns the hash of its command, configuration and keys. */
function writeConfiguration(lab: Lab, component: Component): string {
  for (const [name, content] of Object.entries(component.files ?? {})) {
    writeIfChanged(configFile(lab, name), content);
  }
  const keys = keysOf(component, lab.paths.pki).map((path) => readFileSync(path, "utf8"));
  return fingerprint([component.command, component.files, keys]);
}

/** Whether a component does not run and its supervisor does not restart it. */
export function hasFailed(lab: Lab, name: string): boolean {
  return !runningSupervisor(lab, name) && !runningProcess(lab, name);
}

function failureOf(lab: Lab, name: string): LabError {
  return new LabError(
    `${name} has ${describeExits(exitsOf(lab, name))}, and is not restarted. ${endOfLog(lab, name)}`,
  );
}

/**
 * Runs work that needs the components, and reports those that exit in the meantime and are restarted.
 * @throws if a component has failed: its exit, and then the error that it caused; else the error of the work
 */
export async function watchComponents<T>(
  lab: Lab,
  components: readonly Component[],
  report: Report,
  work: () => Promise<T>,
): Promise<T> {
  const known = new Map(components.map(({ name }) => [name, exitsOf(lab, name).length]));
  const reportExits = () => {
    for (const { name } of components) {
      const exits = exitsOf(lab, name);
      const last = exits.at(-1);
      if (last && exits.length > (known.get(name) ?? 0)) {
        report(`${name}: exited with code ${last.code}; its log is ${logFile(lab, name)}`);
      }
      known.set(name, exits.length);
    }
  };
  const watch = setInterval(reportExits, WATCH_PAUSE);
  try {
    return await work();
  } catch (error) {
    const failed = components.find(
      ({ name }) => exitsOf(lab, name).length > 0 && hasFailed(lab, name),
    );
    const reason = (error as Error).message;
    if (!failed || reason.startsWith(`${failed.name} `)) {
      throw error;
    }
    throw new LabError(`${failureOf(lab, failed.name).message}\nThis caused: ${reason}`);
  } finally {
    clearInterval(watch);
  }
}

/** Throws for a component that has failed, with the end of its log. */
export function requireRunning(lab: Lab, components: readonly Component[]): void {
  const failed = components.find(({ name }) => hasFailed(lab, name));
  if (failed) {
    throw failureOf(lab, failed.name);
  }
}
