/**
 * The values of Kubernetes' recommended labels for a resource.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
 */
export interface Identity {
  /** The application, such as `prometheus` or `model-service`: `app.kubernetes.io/name`. */
  readonly name: string;
  /** The instance, unique in its namespace: `app.kubernetes.io/instance`. */
  readonly instance: string;
  /** The variant of a model with several versions: `ml-platform/variant`. */
  readonly variant?: string;
  /** Its role in the platform: `app.kubernetes.io/component`. */
  readonly component: string;
  /** The owner: `ml-platform/owner`. */
  readonly owner: string;
}

/** The label on pods that may call the team's tracking server. */
export const TRACKING_CLIENT = { "ml-platform/tracking-client": "true" };

/** The labels that select the pods of a workload. A Deployment's selector is immutable, so they never change. */
export function selectorLabels({ name, instance, variant }: Identity): Record<string, string> {
  return {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/instance": instance,
    ...(variant && { "ml-platform/variant": variant }),
  };
}

/** The label on every object of the project. */
export const PART_OF = { "app.kubernetes.io/part-of": "ml-platform" };

/** All labels of an object. */
export function labels(identity: Identity): Record<string, string> {
  return {
    ...selectorLabels(identity),
    "app.kubernetes.io/component": identity.component,
    ...PART_OF,
    "app.kubernetes.io/managed-by": "pulumi",
    "ml-platform/owner": identity.owner,
  };
}

/**
 * The version of the Pod Security Standards. It is fixed, so that an upgrade of the cluster does not refuse pods that ran
 * before. An older cluster uses its own version.
 */
const POD_SECURITY_VERSION = "v1.34";

/**
 * The labels of a namespace for Pod Security admission.
 * @param level the level to enforce and to warn about
 */
export function podSecurityLabels(level: "restricted" | "privileged"): Record<string, string> {
  // Audit is `restricted` in a privileged namespace too: its log shows what each pod needs beyond that.
  return {
    "pod-security.kubernetes.io/enforce": level,
    "pod-security.kubernetes.io/enforce-version": POD_SECURITY_VERSION,
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/audit-version": POD_SECURITY_VERSION,
    "pod-security.kubernetes.io/warn": level,
    "pod-security.kubernetes.io/warn-version": POD_SECURITY_VERSION,
  };
}
