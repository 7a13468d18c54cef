import type { KubeConfig } from "@kubernetes/client-node";
import type { Lookup } from "./ownership";

/** A cluster, as kubectl would find it. */
export interface Cluster {
  /** Kubeconfig file. Default: the one that kubectl uses. */
  readonly kubeconfig?: string | undefined;
  /** Context of the file. Default: its current context. */
  readonly context?: string | undefined;
}

/** The code of the HTTP library's error for a connection timeout. */
const CONNECT_TIMEOUT = "UND_ERR_CONNECT_TIMEOUT";

/** The context that the library returns without a kubeconfig file. */
const NO_FILE = "loaded-context";

/**
 * The cluster of a stack, from the same files as the Kubernetes provider and kubectl use.
 * @throws Error if they lack the context, with the contexts that they have
 */
export async function kubeConfigOf({ kubeconfig, context }: Cluster): Promise<KubeConfig> {
  // Loaded late, as its library takes half a second.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if (kubeconfig) {
    config.loadFromFile(kubeconfig);
  } else {
    config.loadFromDefault();
  }
  if (context) {
    config.setCurrentContext(context);
  }
  if (!config.getCurrentCluster()) {
    const file = kubeconfig ?? process.env.KUBECONFIG ?? "~/.kube/config";
    // Without a file the library returns a cluster on this machine.
    const known = config.getContexts().flatMap(({ name }) => (name === NO_FILE ? [] : name));
    throw new Error(`${file} has no context ${context}; it has: ${known.join(", ") || "none"}`);
  }
  return config;
}

/** Number of retries after a connection timeout of 10 s: a busy client or server may be slower. */
const RETRIES = 3;

/** Sends a request to an API server, and retries after a connection timeout. */
export async function withRetries<T>(request: () => Promise<T>): Promise<T> {
  const { default: pRetry } = await import("p-retry");
  const timedOut = ({ cause }: Error) => (cause as { code?: string })?.code === CONNECT_TIMEOUT;
  return pRetry(request, { retries: RETRIES, shouldRetry: ({ error }) => timedOut(error) });
}

/**
 * Sends a request to an API server.
 * @param except a status that is not an error
 * @returns the response; undefined with the status `except`
 * @throws Error with the server's message in one line, or with the reason why it cannot be reached
 */
export async function answer<T>(
  config: KubeConfig,
  request: () => Promise<T>,
  except?: number,
): Promise<T | undefined> {
  try {
    return await withRetries(request);
  } catch (error) {
    const { code, message, cause } = error as Error & { code?: unknown; cause?: Error };
    if (except !== undefined && code === except) {
      return undefined;
    }
    const { server } = config.getCurrentCluster() ?? {};
    if (typeof code !== "number") {
      throw new Error(`the cluster at ${server} cannot be reached (${cause?.message ?? message})`);
    }
    throw new Error(
      `the cluster at ${server} responds with status ${code}: ${statusMessage(error)}`,
    );
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

/** Reads objects from the cluster of a stack. */
export function lookupIn(cluster: Cluster): Lookup {
  return async (object) => {
    const { KubernetesObjectApi } = await import("@kubernetes/client-node");
    const config = await kubeConfigOf(cluster);
    const api = KubernetesObjectApi.makeApiClient(config);
    const found = await answer(config, () => api.read(object), 404);
    return found && (found.metadata?.annotations ?? {});
  };
}
