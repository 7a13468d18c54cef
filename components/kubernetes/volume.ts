import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Metadata } from "./workload";

/** The settings of a volume. */
export interface VolumeSettings {
  readonly size: string;
  /** Default: the cluster's. */
  readonly storageClass?: string | undefined;
  /** Default: ReadWriteOnce, a volume that one node mounts at a time. */
  readonly accessMode?: string;
}

/** A claim of a volume. */
export function volume(
  name: string,
  metadata: Metadata & { name?: string },
  { size, storageClass, accessMode = "ReadWriteOnce" }: VolumeSettings,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.PersistentVolumeClaim {
  return new k8s.core.v1.PersistentVolumeClaim(
    name,
    {
      metadata,
      spec: {
        accessModes: [accessMode],
        ...(storageClass && { storageClassName: storageClass }),
        resources: { requests: { storage: size } },
      },
    },
    opts,
  );
}
