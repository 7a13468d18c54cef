import type { types } from "@pulumi/kubernetes";

/** The three questions that the kubelet asks a container over HTTP. */
export interface ProbePaths {
  /** Does the process work? Restarted when not. */
  live: string;
  /** Should it get requests? Taken out of the Service when not. */
  ready: string;
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
    // Slower than readiness: an overloaded server should lose its traffic long before its life.
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
