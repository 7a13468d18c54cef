import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** A volume that one node writes at a time, protected where its stack retains data. */
export function volume(
  name: string,
  metadata: { namespace: string; labels: Record<string, string> },
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
