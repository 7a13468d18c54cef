import { ApiException, CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { evaluator, forbidding, KINDS, MINOR } from "./oracle";

const NAMESPACE = "pod-security-vote";
const ADMISSION = /violates PodSecurity "restricted:/;

/** What became of the pods that were sent to an API server. */
export interface Vote {
  /** Pods that the API server judged; the others were no valid pods before any policy. */
  readonly judged: number;
  readonly refused: number;
  /** Pods of which the rules said otherwise, with what the API server said. */
  readonly differences: readonly string[];
}

/**
 * Compares the rules with a real API server, to which it sends random pods as dry-run creates in a
 * namespace that enforces `restricted`. The namespace is its own, and is deleted afterwards.
 * @param kubeconfig path of a file; its context may create namespaces
 * @param wanted how many pods the API server should judge
 */
export async function apiServerVote(
  kubeconfig: string,
  seed: number,
  wanted: number,
): Promise<Vote> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  await createNamespace(api);
  try {
    return await vote(api, seed, wanted);
  } finally {
    await api.deleteNamespace({ name: NAMESPACE });
  }
}

async function createNamespace(api: CoreV1Api): Promise<void> {
  const labels = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": `v1.${MINOR}`,
  };
  await api.createNamespace({ body: { metadata: { name: NAMESPACE, labels } } });
  // Admission wants the account that the controller manager makes a little later.
  await api.createNamespacedServiceAccount({
    namespace: NAMESPACE,
    body: { metadata: { name: "voter" } },
  });
}

async function vote(api: CoreV1Api, seed: number, wanted: number): Promise<Vote> {
  const differences: string[] = [];
  let judged = 0;
  let refused = 0;
  // About every second random pod is valid.
  for (const { pod } of evaluator([`-seed=${seed}`, `-count=${wanted * 4}`])) {
    if (judged === wanted) {
      break;
    }
    const spec = { ...pod.spec, serviceAccountName: "voter" };
    const answer = await dryRun(api, { ...pod, spec } as V1Pod);
    if (answer === undefined) {
      continue;
    }
    judged += 1;
    refused += Number(!answer.allowed);
    const lifted = KINDS.Pod?.(pod) ?? pod;
    const found = await forbidding("restricted", lifted);
    if (answer.allowed !== (found.length === 0)) {
      differences.push(`${found.join(", ") || "nothing"} for: ${answer.text}`);
    }
  }
  return { judged, refused, differences };
}

/** The verdict of admission; undefined for a pod that is refused for other reasons. */
async function dryRun(
  api: CoreV1Api,
  body: V1Pod,
): Promise<{ allowed: boolean; text: string } | undefined> {
  try {
    await api.createNamespacedPod({ namespace: NAMESPACE, body, dryRun: "All" });
    return { allowed: true, text: "created" };
  } catch (error) {
    if (error instanceof ApiException) {
      const text = `${error.body?.message ?? error.body}`;
      return ADMISSION.test(text) ? { allowed: false, text } : undefined;
    }
    throw error;
  }
}
