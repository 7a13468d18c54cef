import type * as pulumi from "@pulumi/pulumi";

/** Kinds that take their pods, volumes or contents with them, which can take minutes. */
const SLOW = new Set(["DaemonSet", "Deployment", "Job", "Namespace", "PersistentVolumeClaim"]);

/** Of any other kind: what the API server needs is a second. */
const QUICK_DELETE = "30s";

/**
 * Bounds how long Pulumi waits for an object to be gone. The Kubernetes provider can miss the news of it (4.18 does, where
 * the object goes before it has begun to watch), and looks again only when the time is over: after ten minutes, by default.
 */
export const boundedDeletes: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  const [provider, , kind = ""] = type.split(":");
  if (provider !== "kubernetes" || SLOW.has(kind)) return undefined;
  const { customTimeouts } = opts as pulumi.CustomResourceOptions;
  return { props, opts: { ...opts, customTimeouts: { delete: QUICK_DELETE, ...customTimeouts } } };
};
