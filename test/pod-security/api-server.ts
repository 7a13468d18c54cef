import { ApiException, CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { evaluator, forbidding, MINOR } from "./oracle";

const ADMISSION = /violates PodSecurity /;

/** The result of sending pods to an API server. */
export interface Vote {
  /** Pods that admission evaluated; the others were not valid pods. */
  readonly judged: number;
  readonly refused: number;
  /** Pods with another result of the rules, and the message of the API server. */
  readonly differences: readonly string[];
}

/**
 * Compares the rules with a real API server. It sends random pods as dry-run creates in a new namespace that
 * enforces `restricted`, and deletes the namespace afterwards.
 * @param kubeconfig path of a file; its context may create namespaces
 * @param wanted number of pods that admission should evaluate
 */
export async function apiServerVote(
  kubeconfig: string,
  seed: number,
  wanted: number,
): Promise<Vote> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const namespace = await createNamespace(api);
  try {
    return await vote(api, namespace, seed, wanted);
  } finally {
    await api.deleteNamespace({ name: namespace });
  }
}

async function createNamespace(api: CoreV1Api): Promise<string> {
  const labels = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": `v1.${MINOR}`,
  };
  const { metadata } = await api.createNamespace({
    body: { metadata: { generateName: "pod-security-vote-", labels } },
  });
  const namespace = metadata?.name ?? "";
  // Admission requires the service account, which the controller manager creates later.
  await api.createNamespacedServiceAccount({ namespace, body: { metadata: { name: "voter" } } });
  return namespace;
}

async function vote(
  api: CoreV1Api,
  namespace: string,
  seed: number,
  wanted: number,
): Promise<Vote> {
  const differences: string[] = [];
  let judged = 0;
  let refused = 0;
  // About every third random pod is valid.
  for (const { pod } of evaluator([`-seed=${seed}`, `-count=${wanted * 6}`])) {
    if (judged === wanted) {
      break;
    }
    // A pod cannot be created with ephemeral containers: they are added to a running pod.
    const { ephemeralContainers: _, ...rest } = pod.spec;
    const spec = { ...rest, serviceAccountName: "voter" };
    const answer = await dryRun(api, namespace, { ...pod, spec } as V1Pod);
    if (answer === undefined) {
      continue;
    }
    judged += 1;
    refused += Number(!answer.allowed);
    const found = await forbidding("restricted", { ...pod, spec: rest, kind: "Pod" });
    if (answer.allowed !== (found.length === 0)) {
      differences.push(`${found.join(", ") || "nothing"} for: ${answer.text}`);
    }
  }
  return { judged, refused, differences };
}

/** The result of admission; undefined for a pod that is refused for other reasons. */
async function dryRun(
  api: CoreV1Api,
  namespace: string,
  body: V1Pod,
): Promise<{ allowed: boolean; text: string } | undefined> {
  try {
    await api.createNamespacedPod({ namespace, body, dryRun: "All" });
    return { allowed: true, text: "created" };
  } catch (error) {
    if (error instanceof ApiException) {
      const text = typeof error.body === "string" ? error.body : JSON.stringify(error.body);
      return ADMISSION.test(text) ? { allowed: false, text } : undefined;
    }
    throw error;
  }
}
