import { resolve } from "node:path";
import { ApiException, KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { withRetries } from "../../components/kubernetes/client";
import type { Report } from "../../toolchain";
import type { OpenStack } from "../stack";
import { type PendingOperation, readState, type State, writeState } from "../stack/state";
import { removeStaleLocks } from "./locks";
import {
  type Adopted,
  creationOf,
  type Found,
  isOurs,
  objectName,
  type Target,
  withAdopted,
} from "./pending";
import { finishRelease, isRelease } from "./releases";

/**
 * Finishes what a killed update or destroy has left: removes its lock, and looks up in the cluster what it was creating, so
 * that nothing is created twice.
 * @throws Error before anything is changed, where the lock is valid or it is unknown whether something was created
 */
export async function finishInterrupted(
  open: OpenStack,
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  const { stack, workDir, options } = open;
  const { url = "" } = await stack.workspace.whoAmI();
  removeStaleLocks(url, workDir, stack.name, report);
  const state = await readState(open);
  const pending = state.deployment.pending_operations ?? [];
  if (pending.length === 0) {
    return;
  }
  report(`stack ${stack.name}: ${pending.length} interrupted operation(s); looking them up`);
  const adopted: Adopted[] = [];
  const created = pending.filter(
    ({ type, resource }) => type === "creating" && !isRelease(resource),
  );
  for (const operation of created) {
    const found = await lookUp(open, state, operation);
    if (found) {
      adopted.push(found);
    }
    const { type, name } = partsOf(operation.resource.urn);
    report(
      `  ${type} ${name}: ${found ? `${objectName(found.target)} is adopted` : "was not created"}`,
    );
  }
  signal.throwIfAborted();
  for (const operation of pending.filter(({ resource }) => isRelease(resource))) {
    await finishRelease(clusterOf(open, state, operation), operation, report);
  }
  await writeState(open, withAdopted(state, adopted));
  const { color, onOutput } = options;
  await stack.refresh({ color, onOutput, signal });
}

/** The type and the name in a resource's URN. */
function partsOf(urn: string): { type: string; name: string } {
  const [, , types = "", name = ""] = urn.split("::");
  return { type: types.split(":").at(-1) ?? "", name };
}

/** @throws Error saying what to check where it is unknown whether something was created */
async function lookUp(
  open: OpenStack,
  state: State,
  operation: PendingOperation,
): Promise<Adopted | undefined> {
  const { urn, type } = operation.resource;
  const target = creationOf(operation.resource);
  if (target === "nothing") {
    return undefined;
  }
  const { name } = partsOf(urn);
  const remedy = `if it does not exist: npm run pulumi -- refresh --yes --clear-pending-creates --stack ${open.stack.name}`;
  if (!target) {
    throw new Error(
      `the creation of ${name} (${type}) was interrupted; check whether it exists; ${remedy}`,
    );
  }
  const look = async () => read(clusterOf(open, state, operation), target);
  const object = await look().catch(({ message, cause }: Error) => {
    const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
    throw new Error(
      `the creation of ${objectName(target)} was interrupted, and the cluster does not tell whether it was created (${why}); try again when the cluster answers`,
    );
  });
  if (!object) {
    return undefined;
  }
  if (isOurs(target, object)) {
    return { operation, object, target };
  }
  throw new Error(
    `the creation of ${objectName(target)} was interrupted; an object of that name exists that looks like somebody else's (kubectl get --show-managed-fields -o yaml). Rename yours, or delete that object; ${remedy}`,
  );
}

/** The cluster that an operation's provider was set up for. */
function clusterOf(
  { workDir }: OpenStack,
  state: State,
  { resource }: PendingOperation,
): KubeConfig {
  const urn = resource.provider?.split("::").slice(0, -1).join("::");
  const provider = state.deployment.resources?.find((one) => one.urn === urn);
  if (!provider) {
    throw new Error("the state does not contain its provider");
  }
  const { kubeconfig, context } = (provider.inputs ?? {}) as Record<string, string | undefined>;
  const config = new KubeConfig();
  if (kubeconfig) {
    config.loadFromFile(resolve(workDir, kubeconfig));
  } else {
    config.loadFromDefault();
  }
  if (context) {
    config.setCurrentContext(context);
  }
  return config;
}

/** The client's error for a kind that the API group does not have. */
const NO_SUCH_KIND = /Unrecognized API version and kind/;

/** An object of the cluster; undefined where it does not exist, or where the cluster has no such kind. */
async function read(
  cluster: KubeConfig,
  { apiVersion, kind, name, namespace }: Target,
): Promise<Found | undefined> {
  try {
    const metadata = { name, ...(namespace && { namespace }) };
    const api = KubernetesObjectApi.makeApiClient(cluster);
    return await withRetries(() => api.read({ apiVersion, kind, metadata }));
  } catch (error) {
    const none = error instanceof ApiException ? error.code === 404 : NO_SUCH_KIND.test(`${error}`);
    if (none) {
      return undefined;
    }
    throw error;
  }
}
