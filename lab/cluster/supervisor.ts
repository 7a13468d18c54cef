import { readFileSync } from "node:fs";
import { duration, type Report } from "../../toolchain";
import { writeIfChanged } from "./files";
import { fingerprint, type Lab, LabError } from "./identity";
import { configFile, keysOf, type Part } from "./part";
import { until } from "./probe";
import { isRunning, memoryOf, type ProcessRecord } from "./process-record";
import { launch, livesInside, logFile, logTail, runningProcess, stopProcess } from "./processes";

/** Time for a part to become well after its start, in milliseconds; a busy machine needs ten times what an idle one does. */
const START_DEADLINE = 120_000;
/** Time that a part which runs already gets to answer: it may have been started a moment ago. */
const RECOVER_DEADLINE = 10_000;

/** State of one part, for people. */
export interface PartStatus {
  name: string;
  state: "running" | "unwell" | "stopped";
  pid?: number;
  /** Resident memory in MiB. */
  memory?: number;
  /** What is wrong, where something is. */
  reason?: string;
}

/** Starts what does not run, restarts what is unwell or set up differently, and leaves the rest alone. */
export async function startParts(lab: Lab, parts: readonly Part[], report: Report): Promise<void> {
  const started = new Map<string, Promise<void>>();
  const start = (part: Part): Promise<void> => {
    const known = started.get(part.name);
    if (known) return known;
    const needed = parts.filter(({ name }) => part.after.includes(name));
    const work = Promise.all(needed.map(start)).then(() => startPart(lab, part, report));
    started.set(part.name, work);
    return work;
  };
  // All of them end, well or not, before the first failure is told: nothing goes on behind the caller's back.
  const results = await Promise.allSettled(parts.map(start));
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}

async function startPart(lab: Lab, part: Part, report: Report): Promise<void> {
  const begin = Date.now();
  const setup = writeSetup(lab, part);
  const fault = await faultOf(lab, part, setup);
  if (!fault) return;
  await stopProcess(lab, part.name);
  const process = { name: part.name, command: part.command, fingerprint: setup };
  const record = await launch(lab, { ...process, inside: part.inside ?? true });
  await becomeWell(lab, part, record);
  const why = fault === "stopped" ? "" : ` (was ${fault})`;
  report(`${part.name}: started in ${duration(Date.now() - begin)}${why}`);
}

/** Why a part must be started or restarted; undefined if it is as it should be. */
async function faultOf(lab: Lab, part: Part, setup: string): Promise<string | undefined> {
  const record = runningProcess(lab, part.name);
  if (!record) return "stopped";
  if (record.fingerprint !== setup) return "set up differently";
  if ((part.inside ?? true) && !livesInside(lab, record.pid)) return "outside the lab's network";
  try {
    await until(part.probe, RECOVER_DEADLINE, () => isRunning(record));
    return undefined;
  } catch (error) {
    return `unwell: ${(error as Error).message.split("\n")[0]}`;
  }
}

async function becomeWell(lab: Lab, part: Part, record: ProcessRecord): Promise<void> {
  try {
    await until(part.probe, START_DEADLINE, () => isRunning(record));
  } catch (error) {
    const what = isRunning(record) ? `is not ready (${(error as Error).message})` : "ended at once";
    throw new LabError(`${part.name} ${what}. ${endOfLog(lab, part.name)}`);
  }
}

/** Writes a part's configuration and returns the hash of all that decides how it runs. */
function writeSetup(lab: Lab, part: Part): string {
  for (const [name, content] of Object.entries(part.files ?? {})) {
    writeIfChanged(configFile(lab, name), content);
  }
  const keys = keysOf(part, lab.paths.pki).map((path) => readFileSync(path, "utf8"));
  return fingerprint([part.command, part.files, keys]);
}

/** Throws, with the end of its log, for a part that has ended after it was well. */
export function requireRunning(lab: Lab, parts: readonly Part[]): void {
  const ended = parts.find(({ name }) => !runningProcess(lab, name));
  if (ended) throw new LabError(`${ended.name} has ended. ${endOfLog(lab, ended.name)}`);
}

function endOfLog(lab: Lab, name: string): string {
  return `The end of ${logFile(lab, name)}:\n${logTail(lab, name)}`;
}

/** State of every part, without changing anything. */
export function statusOf(lab: Lab, parts: readonly Part[]): Promise<PartStatus[]> {
  return Promise.all(
    parts.map(async ({ name, probe }): Promise<PartStatus> => {
      const record = runningProcess(lab, name);
      if (!record) return { name, state: "stopped" };
      const known = { name, pid: record.pid, memory: memoryOf(record.pid) };
      return probe().then(
        () => ({ ...known, state: "running" as const }),
        (error: Error) => ({ ...known, state: "unwell" as const, reason: error.message }),
      );
    }),
  );
}
