import type { types } from "@pulumi/kubernetes";

/** The paths of a container's probes. */
export interface ProbePaths {
  /** Liveness: the container is restarted when it fails. */
  readonly live: string;
  /** Readiness: the pod is removed from the Service when it fails. */
  readonly ready: string;
}

/**
 * Startup, liveness and readiness probes of an HTTP server.
 * @param port the named container port
 * @param startSeconds how long a start may take before the container is restarted
 */
export function httpProbes(
  { live, ready }: ProbePaths,
  port: string,
  startSeconds: number,
): Pick<types.input.core.v1.Container, "startupProbe" | "livenessProbe" | "readinessProbe"> {
  return {
    startupProbe: {
      httpGet: { path: live, port },
      periodSeconds: 1,
      timeoutSeconds: 3,
      failureThreshold: startSeconds,
    },
    // Slower than readiness: an overloaded server is removed from its Service long before it is restarted.
    livenessProbe: {
      httpGet: { path: live, port },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    readinessProbe: {
      httpGet: { path: ready, port },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 2,
    },
  };
}
