import type { types } from "@pulumi/kubernetes";

/** The user of every container of the platform: `nonroot` of distroless images. */
export const NON_ROOT_ID = 65532;

/**
 * A pod's security context for the Pod Security Standard `restricted`.
 * @param id user and group of its processes, and the group of its volumes
 */
export function restrictedPod(id: number = NON_ROOT_ID): types.input.core.v1.PodSecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: id,
    runAsGroup: id,
    fsGroup: id,
    // Changing the group of a large volume on every start takes minutes.
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** A container's security context for `restricted`, with a read-only root file system on top. */
export function restrictedContainer(): types.input.core.v1.SecurityContext {
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
  };
}

/** A writable `/tmp` for a container whose root file system is read-only. */
export function scratch(sizeLimit: string): {
  volume: types.input.core.v1.Volume;
  mount: types.input.core.v1.VolumeMount;
} {
  return {
    volume: { name: "tmp", emptyDir: { sizeLimit } },
    mount: { name: "tmp", mountPath: "/tmp" },
  };
}
