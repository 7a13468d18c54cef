import { CoreV1Api, type KubeConfig, type V1Secret } from "@kubernetes/client-node";
import { withRetries } from "../../components/kubernetes/client";
import type { Report } from "../../toolchain";
import type { PendingOperation, StateResource } from "../stack/state";

/** Whether a resource is a Helm release. */
export function isRelease({ type }: Pick<StateResource, "type">): boolean {
  return type === "kubernetes:helm.sh/v3:Release";
}

/**
 * The names of Helm's records that block the next update of a release. Helm refuses to install a release that has a record,
 * and to upgrade one whose last record is of an operation that has not ended. It takes over the objects of a release of the
 * same name, so that nothing is lost.
 */
export function blockingRecords(
  type: PendingOperation["type"],
  records: readonly Pick<V1Secret, "metadata">[],
): string[] {
  const blocking = records.filter(
    ({ metadata }) => type === "creating" || metadata?.labels?.status?.startsWith("pending-"),
  );
  return blocking.flatMap(({ metadata }) => metadata?.name ?? []);
}

/**
 * Removes Helm's records of an interrupted installation or upgrade, so that the next update does it again.
 * @see https://helm.sh/docs/topics/advanced/#storage-backends
 */
export async function finishRelease(
  config: KubeConfig,
  { type, resource }: PendingOperation,
  report: Report,
): Promise<void> {
  const { name, namespace } = (resource.inputs ?? {}) as Record<string, string | undefined>;
  if (!name || !namespace) {
    throw new Error(
      `the ${type} of the Helm release ${resource.urn.split("::").at(-1)} was interrupted, and the state has no name of it; check \`helm list --all --all-namespaces\``,
    );
  }
  const api = config.makeApiClient(CoreV1Api);
  const labelSelector = `owner=helm,name=${name}`;
  const { items } = await withRetries(() => api.listNamespacedSecret({ namespace, labelSelector }));
  for (const record of blockingRecords(type, items)) {
    await withRetries(() => api.deleteNamespacedSecret({ namespace, name: record }));
    report(`  Release ${namespace}/${name}: the record ${record} is removed; Helm starts again`);
  }
}
