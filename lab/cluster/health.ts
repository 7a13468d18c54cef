import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "./identity";
import type { Part } from "./part";
import { memoryOf, type PartEnd } from "./process-record";
import { endsOf, logFile, runningProcess, runningSupervisor } from "./processes";

/** State of one part, for people. */
export interface PartStatus {
  name: string;
  /** `restarting`: it has ended, and its supervisor starts it again; `stopped`: nothing does. */
  state: "running" | "unwell" | "restarting" | "stopped";
  pid?: number;
  /** Resident memory in MiB. */
  memory?: number;
  /** What is wrong, where something is, and how often the part has ended. */
  reason?: string;
}

/** State of every part, without changing anything. */
export function statusOf(lab: Lab, parts: readonly Part[]): Promise<PartStatus[]> {
  return Promise.all(
    parts.map(async ({ name, probe }): Promise<PartStatus> => {
      const record = runningProcess(lab, name);
      const known = { name, reason: endsReason(lab, name) };
      if (!record) {
        return { ...known, state: runningSupervisor(lab, name) ? "restarting" : "stopped" };
      }
      const running = { ...known, pid: record.pid, memory: memoryOf(record.pid) };
      return probe().then(
        () => ({ ...running, state: "running" as const }),
        (error: Error) => ({ ...running, state: "unwell" as const, reason: error.message }),
      );
    }),
  );
}

/** How often a part has ended, and where to read why; undefined where it never has. */
function endsReason(lab: Lab, name: string): string | undefined {
  const ends = endsOf(lab, name);
  return ends.length > 0 ? `${describeEnds(ends)}; log: ${logFile(lab, name)}` : undefined;
}

/** `ended 2 times, last at 10:02:11 with exit code 137`. */
export function describeEnds(ends: readonly PartEnd[]): string {
  const last = ends.at(-1);
  if (!last) return "ended";
  const times = ends.length === 1 ? "once" : `${ends.length} times`;
  return `ended ${times}, last at ${last.time.toTimeString().slice(0, 8)} with exit code ${last.code}`;
}

/** One line for each part of a started lab that does not run; cheap: it reads a few small files. */
export function troubleOf(lab: Lab): string[] {
  const folder = join(lab.paths.run, "parts");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => !runningProcess(lab, name))
    .map((name) => {
      const what = `lab ${lab.name}: ${name} does not run (${describeEnds(endsOf(lab, name))})`;
      const next = runningSupervisor(lab, name)
        ? "it is being started again"
        : `"npm run lab -- up --name ${lab.name}" starts it`;
      return `${what}; ${next}; its log is ${logFile(lab, name)}`;
    });
}
