import type { types } from "@pulumi/kubernetes";

/** Requests and limits of a container, as Kubernetes quantities. */
export interface Resources {
  /** CPU request. */
  readonly cpu: string;
  /** Memory request and limit: they are equal, so that no node is overcommitted. */
  readonly memory: string;
  /** CPU limit. */
  readonly cpuLimit: string;
  /** Request and limit of the space for logs, scratch files and the writable layer. */
  readonly ephemeralStorage: string;
  /** Number of whole GPUs. Default: none. */
  readonly gpus?: number;
}

/** Requests and limits of a container. GPUs cannot be overcommitted, so requests and limits are equal. */
export function requirements(
  resources: Resources,
  gpuResource = "nvidia.com/gpu",
): types.input.core.v1.ResourceRequirements {
  const gpus: Record<string, string> = resources.gpus ? { [gpuResource]: `${resources.gpus}` } : {};
  return {
    requests: {
      cpu: resources.cpu,
      memory: resources.memory,
      "ephemeral-storage": resources.ephemeralStorage,
      ...gpus,
    },
    limits: {
      cpu: resources.cpuLimit,
      memory: resources.memory,
      "ephemeral-storage": resources.ephemeralStorage,
      ...gpus,
    },
  };
}

/** Tolerates the taint that GPU nodes have for pods that use no GPU. */
export const GPU_TOLERATION = { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" };

/** The tolerations of a pod with these resources. */
export function gpuTolerations({ gpus }: Pick<Resources, "gpus">): (typeof GPU_TOLERATION)[] {
  return gpus ? [GPU_TOLERATION] : [];
}
