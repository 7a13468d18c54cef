import type { KubeConfig } from "@kubernetes/client-node";
import type { Lookup } from "./ownership";

/** A cluster, as kubectl would find it. */
export interface Cluster {
  /** Kubeconfig file. Default: the one that kubectl uses. */
  kubeconfig?: string | undefined;
  /** Context in it. Default: its current context. */
  context?: string | undefined;
}

/** What the client's HTTP library calls a connection that is not made in time. */
const CONNECT_TIMEOUT = "UND_ERR_CONNECT_TIMEOUT";

/** The context of a kubeconfig that is not there. */
const MADE_UP = "loaded-context";

/**
 * The cluster of a stack, from the files that the Kubernetes provider and kubectl take it from.
 * @throws Error where they lack the context, with those that there are
 */
export async function kubeConfigOf({ kubeconfig, context }: Cluster): Promise<KubeConfig> {
  // Loaded late, as its library takes half a second.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if (kubeconfig) config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  if (context) config.setCurrentContext(context);
  if (!config.getCurrentCluster()) {
    const file = kubeconfig ?? process.env.KUBECONFIG ?? "~/.kube/config";
    // Without any file the library makes one up for a server on this machine.
    const known = config.getContexts().flatMap(({ name }) => (name === MADE_UP ? [] : name));
    throw new Error(`${file} has no context ${context}; there are: ${known.join(", ") || "none"}`);
  }
  return config;
}

/** How often a connection is tried again that was not made in time (10 s): a busy machine may be slower, on either end. */
const RETRIES = 3;

/** Sends a request to an API server; again, a few times, where no connection was made in time. */
export async function patiently<T>(request: () => Promise<T>): Promise<T> {
  const { default: pRetry } = await import("p-retry");
  const inTime = ({ cause }: Error) => (cause as { code?: string })?.code !== CONNECT_TIMEOUT;
  return pRetry(request, { retries: RETRIES, shouldRetry: ({ error }) => !inTime(error) });
}

/**
 * What an API server answers to a request.
 * @returns undefined where it answers with this status
 * @throws Error with what it says, in one line, or with the reason why it cannot be reached
 */
export async function answer<T>(
  config: KubeConfig,
  request: () => Promise<T>,
  except?: number,
): Promise<T | undefined> {
  try {
    return await patiently(request);
  } catch (error) {
    const { code, message, cause } = error as Error & { code?: unknown; cause?: Error };
    if (except !== undefined && code === except) return undefined;
    const { server } = config.getCurrentCluster() ?? {};
    if (typeof code !== "number") {
      throw new Error(`the cluster at ${server} cannot be reached (${cause?.message ?? message})`);
    }
    throw new Error(`the cluster at ${server} answers ${code}: ${statusMessage(error)}`);
  }
}

/** The message of a Kubernetes Status object. */
function statusMessage(error: unknown): string {
  const { body } = error as { body?: unknown };
  try {
    const status = (typeof body === "string" ? JSON.parse(body) : body) as { message?: string };
    return status.message ?? "no reason";
  } catch {
    return `${body}`;
  }
}

/** Looks objects up in a stack's cluster. */
export function lookupIn(cluster: Cluster): Lookup {
  return async (object) => {
    const { KubernetesObjectApi } = await import("@kubernetes/client-node");
    const config = await kubeConfigOf(cluster);
    const api = KubernetesObjectApi.makeApiClient(config);
    const found = await answer(config, () => api.read(object), 404);
    return found && (found.metadata?.annotations ?? {});
  };
}
