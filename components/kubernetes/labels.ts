/**
 * What a resource is, as Kubernetes' recommended labels say it.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
 */
export interface Identity {
  /** The application, for example `prometheus` or `model-service`: `app.kubernetes.io/name`. */
  name: string;
  /** Which one of them, unique in its namespace: `app.kubernetes.io/instance`. */
  instance: string;
  /** Which of its variants, where it has several versions side by side: `ml-platform/variant`. */
  variant?: string;
  /** Its role in the platform: `app.kubernetes.io/component`. */
  component: string;
  /** Who answers for it: `ml-platform/owner`. */
  owner: string;
}

/** The label on pods that may call the team's tracking server. */
export const TRACKING_CLIENT = { "ml-platform/tracking-client": "true" };

/** The labels that find a workload's pods. They are immutable in a Deployment, so nothing that changes is among them. */
export function selectorLabels({ name, instance, variant }: Identity): Record<string, string> {
  return {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/instance": instance,
    ...(variant && { "ml-platform/variant": variant }),
  };
}

/** The label on every object of the project. */
export const PART_OF = { "app.kubernetes.io/part-of": "ml-platform" };

/** All labels of a resource: the selector's, and who runs and owns it. */
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
 * The version of the Pod Security Standards that pods are held to, so that an upgrade of the cluster does not refuse pods
 * that it ran before. A cluster that is older takes its own.
 */
const POD_SECURITY_VERSION = "v1.34";

/**
 * The labels by which the API server's Pod Security admission judges a namespace's pods.
 * @param level enforced, audited and warned about
 */
export function podSecurityLabels(level: "restricted" | "privileged"): Record<string, string> {
  // Audit stays at `restricted` in a privileged namespace: its log shows what each pod asks for beyond it.
  return {
    "pod-security.kubernetes.io/enforce": level,
    "pod-security.kubernetes.io/enforce-version": POD_SECURITY_VERSION,
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/audit-version": POD_SECURITY_VERSION,
    "pod-security.kubernetes.io/warn": level,
    "pod-security.kubernetes.io/warn-version": POD_SECURITY_VERSION,
  };
}
