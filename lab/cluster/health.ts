import type { Component } from "./component";
import type { Lab } from "./identity";
import { memoryOf, type ProcessExit } from "./process-record";
import {
  exitsOf,
  logFile,
  runningProcess,
  runningSupervisor,
  supervisedComponents,
} from "./processes";

/** State of one component. */
export interface ComponentStatus {
  readonly name: string;
  /** `restarting`: it has exited, and its supervisor restarts it; `stopped`: it is not restarted. */
  readonly state: "running" | "unhealthy" | "restarting" | "stopped";
  readonly pid?: number;
  /** Resident memory in MiB. */
  readonly memory?: number;
  /** The problem, if there is one, and how often the component has exited. */
  readonly reason?: string;
}

/** State of every component. Changes nothing. */
export function statusOf(lab: Lab, components: readonly Component[]): Promise<ComponentStatus[]> {
  return Promise.all(
    components.map(async ({ name, probe }): Promise<ComponentStatus> => {
      const record = runningProcess(lab, name);
      const known = { name, reason: exitReason(lab, name) };
      if (!record) {
        return { ...known, state: runningSupervisor(lab, name) ? "restarting" : "stopped" };
      }
      const running = { ...known, pid: record.pid, memory: memoryOf(record.pid) };
      return probe().then(
        () => ({ ...running, state: "running" as const }),
        (error: Error) => ({ ...running, state: "unhealthy" as const, reason: error.message }),
      );
    }),
  );
}

/** How often a component has exited, and its log; undefined if it never has. */
function exitReason(lab: Lab, name: string): string | undefined {
  const exits = exitsOf(lab, name);
  return exits.length > 0 ? `${describeExits(exits)}; log: ${logFile(lab, name)}` : undefined;
}

/** `exited 2 times, last at 10:02:11 with code 137`. */
export function describeExits(exits: readonly ProcessExit[]): string {
  const last = exits.at(-1);
  if (!last) {
    return "exited";
  }
  const times = exits.length === 1 ? "once" : `${exits.length} times`;
  return `exited ${times}, last at ${last.time.toTimeString().slice(0, 8)} with code ${last.code}`;
}

/** One line for each component of a started lab that does not run. It only reads a few small files. */
export function stoppedComponents(lab: Lab): string[] {
  return supervisedComponents(lab)
    .filter((name) => !runningProcess(lab, name))
    .map((name) => {
      const what = `lab ${lab.name}: ${name} does not run (${describeExits(exitsOf(lab, name))})`;
      const next = runningSupervisor(lab, name)
        ? "it is being restarted"
        : `"npm run lab -- up --name ${lab.name}" starts it`;
      return `${what}; ${next}; its log is ${logFile(lab, name)}`;
    });
}
