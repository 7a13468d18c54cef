import { adminIdentity, apiServerUrl, type Blueprint } from "./part";
import { getJson } from "./probe";

/** The node's object as far as the lab looks into it. */
interface NodeObject {
  status: {
    addresses: { address: string }[];
    conditions: { type: string; status: string }[];
    nodeInfo: { kubeletVersion: string; containerRuntimeVersion: string; kernelVersion: string };
  };
}

function getNode({ lab, link }: Blueprint): Promise<NodeObject> {
  return getJson(`${apiServerUrl(link)}/api/v1/nodes/${lab.label}`, adminIdentity(lab));
}

/** Fails until the node has reported itself ready at the address that it has now. */
export async function nodeReady(blueprint: Blueprint): Promise<void> {
  const { addresses, conditions } = (await getNode(blueprint)).status;
  const ready = conditions.find(({ type }) => type === "Ready");
  const known = addresses.some(({ address }) => address === blueprint.link.node);
  if (ready?.status !== "True" || !known) throw new Error("the node has not reported itself ready");
}

/** A pod as far as the lab compares what the API server and the kubelet know of it. */
interface BoundPod {
  metadata: { uid: string; name: string };
}

/** Fails, with their names, while pods of the node are unknown to its kubelet: one that has just started learns of them late. */
export async function podsKnown(blueprint: Blueprint): Promise<void> {
  const { lab, link } = blueprint;
  const list = async (path: string) =>
    (await getJson<{ items: BoundPod[] }>(`${apiServerUrl(link)}${path}`, adminIdentity(lab)))
      .items;
  // Bound pods first: one that is bound between the two looks is not missed.
  const bound = await list(`/api/v1/pods?fieldSelector=spec.nodeName=${lab.label}`);
  const known = await list(`/api/v1/nodes/${lab.label}/proxy/pods`);
  const uids = new Set(known.map(({ metadata }) => metadata.uid));
  const missing = bound.filter(({ metadata }) => !uids.has(metadata.uid));
  if (missing.length === 0) return;
  throw new Error(
    `the kubelet does not know of ${missing.map((it) => it.metadata.name).join(", ")} yet`,
  );
}

/** Versions that the node reports; none while the API server does not answer. */
export async function nodeVersions(blueprint: Blueprint): Promise<string[]> {
  const found = await getNode(blueprint).catch(() => undefined);
  if (!found) return [];
  const { kubeletVersion, containerRuntimeVersion, kernelVersion } = found.status.nodeInfo;
  const runtime = containerRuntimeVersion.replace("://", " ");
  return [`Kubernetes ${kubeletVersion.slice(1)}`, runtime, `Linux ${kernelVersion}`];
}
