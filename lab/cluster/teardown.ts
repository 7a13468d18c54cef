import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { membersGone, removeCgroups, signalMembers } from "./cgroups";
import { restoreControllers } from "./delegation";
import { othersForward, removeRules } from "./firewall";
import type { Lab } from "./identity";
import { restoreKernel } from "./kernel";
import { removeLeftovers } from "./leftovers";
import { removeNamespaces } from "./namespaces";
import { labsOfMachine, machineWide } from "./ownership";
import { stopProcess } from "./processes";

/** Time that pods get to end by themselves, in milliseconds. */
const POD_GRACE = 8_000;
/** The kubelet would start pods again; the API server and etcd serve the others until these have ended. */
const FIRST = ["kubelet"];
const LAST = ["apiserver", "etcd"];

/** Ends everything that a lab has on the machine, and keeps its folder. What is gone already is no error. */
export async function tearDown(lab: Lab): Promise<void> {
  const parts = partsOf(lab);
  await stopTogether(lab, FIRST);
  await endPods(lab);
  await stopTogether(
    lab,
    parts.filter((name) => !LAST.includes(name)),
  );
  for (const name of LAST) await stopProcess(lab, name);
  signalMembers(lab.scope, "all", "SIGKILL");
  await membersGone(lab.scope, "all");
  await removeNamespaces(lab);
  await removeRules(lab.scope);
  await removeCgroups(lab.scope);
  rmSync(lab.paths.run, { recursive: true, force: true });
  await machineWide(async () => {
    if (labsOfMachine().length > 0) return;
    restoreKernel(await othersForward());
    restoreControllers();
    removeLeftovers();
  });
}

function partsOf(lab: Lab): string[] {
  const folder = join(lab.paths.run, "parts");
  return existsSync(folder) ? readdirSync(folder) : [];
}

async function stopTogether(lab: Lab, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => stopProcess(lab, name)));
}

async function endPods(lab: Lab): Promise<void> {
  signalMembers(lab.scope, "pods", "SIGTERM");
  await membersGone(lab.scope, "pods", POD_GRACE).catch(() => {
    signalMembers(lab.scope, "pods", "SIGKILL");
  });
}
