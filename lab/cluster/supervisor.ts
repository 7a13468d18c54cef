import { readFileSync, statSync } from "node:fs";
import { duration, type Report } from "../../toolchain";
import { writeIfChanged } from "./files";
import { describeEnds } from "./health";
import { fingerprint, type Lab, LabError } from "./identity";
import { configFile, keysOf, type Part } from "./part";
import { ageOf, isSuspended, processorTimeOf } from "./process-record";
import {
  endOfLog,
  endsOf,
  launch,
  livesInside,
  logFile,
  runningProcess,
  runningSupervisor,
  stopProcess,
} from "./processes";
import { RECOVERY_PATIENCE, START_PATIENCE, WaitError, waitFor } from "./wait";

/** Age from which a part that does not answer is no longer taken for one that is starting, in milliseconds. */
const STARTING = 600_000;
/** Processor time that counts as movement, in milliseconds: an idle part takes longer for it than a quiet wait lasts. */
const PROCESSOR_STEP = 5_000;
/** Pause between two looks for parts that have ended, in milliseconds. */
const WATCH_PAUSE = 500;

/** Puts the objects of files of lab/addons into the cluster. */
export type ProvideNeeds = (files: readonly string[]) => Promise<void>;

/**
 * Starts what does not run, restarts what is unwell or set up differently, and leaves the rest alone: each part when those
 * that it comes after are well, and when what it needs is in the cluster.
 * @returns part -> what ends when it is well
 */
export function startParts(
  lab: Lab,
  parts: readonly Part[],
  provide: ProvideNeeds,
  report: Report,
): ReadonlyMap<string, Promise<void>> {
  const started = new Map<string, Promise<void>>();
  const start = (part: Part): Promise<void> => {
    const known = started.get(part.name);
    if (known) return known;
    const needed = parts.filter(({ name }) => part.after.includes(name));
    const work = Promise.all(needed.map(start)).then(() => startPart(lab, part, provide, report));
    started.set(part.name, work);
    return work;
  };
  for (const part of parts) start(part);
  return started;
}

async function startPart(
  lab: Lab,
  part: Part,
  provide: ProvideNeeds,
  report: Report,
): Promise<void> {
  const begin = Date.now();
  const setup = writeSetup(lab, part);
  const fault = await faultOf(lab, part, setup);
  if (!fault) return;
  await stopProcess(lab, part.name);
  if (part.needs) await provide(part.needs);
  const { name, command, inside = true } = part;
  await launch(lab, { name, command, fingerprint: setup, inside });
  await becomeWell(lab, part, report);
  const why = fault === "stopped" ? "" : ` (was ${fault})`;
  report(`${name}: started in ${duration(Date.now() - begin)}${why}`);
}

/** Why a part must be started or restarted; undefined if it is as it should be. */
async function faultOf(lab: Lab, part: Part, setup: string): Promise<string | undefined> {
  const record = runningProcess(lab, part.name);
  if (!record) return "stopped";
  if (record.fingerprint !== setup) return "set up differently";
  if ((part.inside ?? true) && !livesInside(lab, record.pid)) return "outside the lab's network";
  if (!runningSupervisor(lab, part.name)) return "without its supervisor";
  if (isSuspended(record.pid)) return "stopped by a signal";
  const patience = ageOf(record) < STARTING ? START_PATIENCE : RECOVERY_PATIENCE;
  try {
    await waitFor(part.probe, { ...patience, ...progressOf(lab, part) });
    return undefined;
  } catch (error) {
    return `unwell: ${(error as Error).message.split("\n")[0]}`;
  }
}

/** Waits until a part is well that has been started, or that its supervisor starts again. */
export async function becomeWell(lab: Lab, part: Part, report: Report): Promise<void> {
  const tell = (line: string) =>
    report(`${part.name}: not ready yet: ${line}; its log is ${logFile(lab, part.name)}`);
  try {
    await waitFor(part.probe, { ...START_PATIENCE, ...progressOf(lab, part), tell });
  } catch (error) {
    if (!(error instanceof WaitError)) throw error;
    throw new LabError(`${part.name} is not ready: ${error.message}. ${endOfLog(lab, part.name)}`);
  }
}

/** What tells whether waiting for a part makes sense. */
function progressOf(lab: Lab, { name }: Part) {
  const movement = () => {
    const pid = runningProcess(lab, name)?.pid;
    const size = statSync(logFile(lab, name), { throwIfNoEntry: false })?.size;
    return `${pid} ${size} ${pid && Math.floor(processorTimeOf(pid) / PROCESSOR_STEP)}`;
  };
  const hopeless = () => {
    if (hasDied(lab, name)) throw deathOf(lab, name);
  };
  return { movement, hopeless };
}

/** Writes a part's configuration and returns the hash of all that decides how it runs. */
function writeSetup(lab: Lab, part: Part): string {
  for (const [name, content] of Object.entries(part.files ?? {})) {
    writeIfChanged(configFile(lab, name), content);
  }
  const keys = keysOf(part, lab.paths.pki).map((path) => readFileSync(path, "utf8"));
  return fingerprint([part.command, part.files, keys]);
}

/** Whether a part does not run, and nothing will start it again. */
export function hasDied(lab: Lab, name: string): boolean {
  return !runningSupervisor(lab, name) && !runningProcess(lab, name);
}

function deathOf(lab: Lab, name: string): LabError {
  return new LabError(
    `${name} has ${describeEnds(endsOf(lab, name))}, and is not started again. ${endOfLog(lab, name)}`,
  );
}

/**
 * Runs work that needs the parts, and names those that end meanwhile and are started again by their supervisors.
 * @throws where a part has died: its end, before what followed from it; else what the work throws
 */
export async function overseen<T>(
  lab: Lab,
  parts: readonly Part[],
  report: Report,
  work: () => Promise<T>,
): Promise<T> {
  const known = new Map(parts.map(({ name }) => [name, endsOf(lab, name).length]));
  const look = () => {
    for (const { name } of parts) {
      const ends = endsOf(lab, name);
      const last = ends.at(-1);
      if (last && ends.length > (known.get(name) ?? 0)) {
        report(`${name}: ended with exit code ${last.code}; its log is ${logFile(lab, name)}`);
      }
      known.set(name, ends.length);
    }
  };
  const watch = setInterval(look, WATCH_PAUSE);
  try {
    return await work();
  } catch (error) {
    const dead = parts.find(({ name }) => endsOf(lab, name).length > 0 && hasDied(lab, name));
    const reason = (error as Error).message;
    if (!dead || reason.startsWith(`${dead.name} `)) throw error;
    throw new LabError(`${deathOf(lab, dead.name).message}\nWhat followed from it: ${reason}`);
  } finally {
    clearInterval(watch);
  }
}

/** Throws for a part that has died, with the end of its log. */
export function requireAlive(lab: Lab, parts: readonly Part[]): void {
  const dead = parts.find(({ name }) => hasDied(lab, name));
  if (dead) throw deathOf(lab, dead.name);
}
