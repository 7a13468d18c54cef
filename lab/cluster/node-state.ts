import { adminIdentity, apiServerUrl, type ClusterConfig } from "./component";
import { getJson } from "./probe";

/** The fields of the Node object that the lab reads. */
interface NodeObject {
  readonly status: {
    readonly addresses: { address: string }[];
    readonly conditions: { type: string; status: string }[];
    readonly nodeInfo: {
      kubeletVersion: string;
      containerRuntimeVersion: string;
      kernelVersion: string;
    };
  };
}

function getNode({ lab, link }: ClusterConfig): Promise<NodeObject> {
  return getJson(`${apiServerUrl(link)}/api/v1/nodes/${lab.label}`, adminIdentity(lab));
}

/** Fails until the node is ready with its current address. */
export async function nodeReady(cluster: ClusterConfig): Promise<void> {
  const { addresses, conditions } = (await getNode(cluster)).status;
  const ready = conditions.find(({ type }) => type === "Ready");
  const known = addresses.some(({ address }) => address === cluster.link.node);
  if (ready?.status !== "True" || !known) {
    throw new Error("the node is not ready");
  }
}

/** The fields of a pod that the lab compares between API server and kubelet. */
interface BoundPod {
  readonly metadata: { uid: string; name: string };
}

/** Fails, with their names, while the kubelet does not have all pods of the node: a kubelet that has just started gets them late. */
export async function podsKnown(cluster: ClusterConfig): Promise<void> {
  const { lab, link } = cluster;
  const list = async (path: string) =>
    (await getJson<{ items: BoundPod[] }>(`${apiServerUrl(link)}${path}`, adminIdentity(lab)))
      .items;
  // Bound pods first, so that a pod that is bound in between is not reported.
  const bound = await list(`/api/v1/pods?fieldSelector=spec.nodeName=${lab.label}`);
  const known = await list(`/api/v1/nodes/${lab.label}/proxy/pods`);
  const uids = new Set(known.map(({ metadata }) => metadata.uid));
  const missing = bound.filter(({ metadata }) => !uids.has(metadata.uid));
  if (missing.length === 0) {
    return;
  }
  throw new Error(
    `the kubelet does not have the pods ${missing.map((it) => it.metadata.name).join(", ")} yet`,
  );
}

/** Versions that the node reports; none if the API server does not respond. */
export async function nodeVersions(cluster: ClusterConfig): Promise<string[]> {
  const found = await getNode(cluster).catch(() => undefined);
  if (!found) {
    return [];
  }
  const { kubeletVersion, containerRuntimeVersion, kernelVersion } = found.status.nodeInfo;
  const runtime = containerRuntimeVersion.replace("://", " ");
  return [`Kubernetes ${kubeletVersion.slice(1)}`, runtime, `Linux ${kernelVersion}`];
}
