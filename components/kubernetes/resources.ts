import type { types } from "@pulumi/kubernetes";

/** What a container may ask for and use, as Kubernetes quantities. */
export interface Resources {
  cpu: string;
  memory: string;
  /** The most it may use; requests and limits of memory are the same, so that no node is overcommitted. */
  cpuLimit: string;
  /** Space for logs, scratch files and the writable layer. */
  ephemeralStorage: string;
  /** Whole GPUs. */
  gpus?: number;
}

/** Requests and limits of a container. GPUs cannot be overcommitted, so they stand in both. */
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

/** The taint by which GPU nodes keep everything else away, tolerated by what needs a GPU. */
export const GPU_TOLERATION = { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" };

/** What a pod with these resources tolerates. */
export function gpuTolerations({
  gpus,
}: Pick<Resources, "gpus">): Pick<types.input.core.v1.PodSpec, "tolerations"> {
  // Left out rather than empty: the API server drops an empty list, and a refresh would show a change.
  return gpus ? { tolerations: [GPU_TOLERATION] } : {};
}
