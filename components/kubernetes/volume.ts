import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Metadata } from "./workload";

/** A volume that one node mounts at a time. */
export function volume(
  name: string,
  metadata: Metadata,
  { size, storageClass }: { size: string; storageClass?: string | undefined },
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.PersistentVolumeClaim {
  return new k8s.core.v1.PersistentVolumeClaim(
    name,
    {
      metadata,
      spec: {
        accessModes: ["ReadWriteOnce"],
        ...(storageClass && { storageClassName: storageClass }),
        resources: { requests: { storage: size } },
      },
    },
    opts,
  );
}
