import { rmSync } from "node:fs";
import { removeCgroups, signalMembers, waitForExit } from "./cgroups";
import { restoreControllers } from "./delegation";
import { othersForwardPackets, removeRules } from "./firewall";
import type { Lab } from "./identity";
import { restoreKernel } from "./kernel";
import { removeLeftovers } from "./leftovers";
import { removeNamespaces } from "./namespaces";
import { labsOfMachine, withMachineLock } from "./ownership";
import { stopProcess, supervisedComponents } from "./processes";

/** Termination grace period of pods, in milliseconds. */
const POD_GRACE = 8_000;
/** The kubelet is first, as it would restart pods. The API server and etcd are last, as the others use them until they exit. */
const FIRST = ["kubelet"];
const LAST = ["apiserver", "etcd"];

/** Stops and removes everything that a lab has on the machine, and keeps its folder. Missing things are not an error. */
export async function tearDown(lab: Lab): Promise<void> {
  const components = supervisedComponents(lab);
  await stopTogether(lab, FIRST);
  await stopPods(lab);
  await stopTogether(
    lab,
    components.filter((name) => !LAST.includes(name)),
  );
  for (const name of LAST) {
    await stopProcess(lab, name);
  }
  signalMembers(lab.scope, "all", "SIGKILL");
  await waitForExit(lab.scope, "all");
  await removeNamespaces(lab);
  await removeRules(lab.scope);
  await removeCgroups(lab.scope);
  rmSync(lab.paths.run, { recursive: true, force: true });
  await withMachineLock(async () => {
    if (labsOfMachine().length > 0) {
      return;
    }
    restoreKernel(await othersForwardPackets());
    restoreControllers();
    removeLeftovers();
  });
}

async function stopTogether(lab: Lab, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => stopProcess(lab, name)));
}

async function stopPods(lab: Lab): Promise<void> {
  signalMembers(lab.scope, "pods", "SIGTERM");
  await waitForExit(lab.scope, "pods", POD_GRACE).catch(() => {
    signalMembers(lab.scope, "pods", "SIGKILL");
  });
}
