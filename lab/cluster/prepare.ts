import { type ClusterConfig, kubeconfigOf } from "./component";
import { createCgroups } from "./delegation";
import { writeIfChanged } from "./files";
import { addRules, labRules, removeRules } from "./firewall";
import { prepareKernel } from "./kernel";
import { renderKubeconfig } from "./kubeconfig";
import { recordAbsent } from "./leftovers";
import { createMounts, createNetwork } from "./namespaces";
import { withMachineLock, writeOwner } from "./ownership";
import { ensurePki, identityOf, USERS } from "./pki";

/** Creates what the components need before they start: namespaces, firewall rules, cgroups, keys. */
export async function prepare({ lab, link, mtu }: ClusterConfig): Promise<void> {
  await withMachineLock(async () => {
    writeOwner(lab);
    prepareKernel();
    recordAbsent();
  });
  await createCgroups(lab);
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
