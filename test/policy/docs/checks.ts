/** A check of well-known scanners of Kubernetes objects, and the rules that implement it. */
export interface Check {
  readonly title: string;
  readonly rules: readonly string[];
  /** Why there is no rule. */
  readonly without?: string;
}

const check = (title: string, ...rules: string[]): Check => ({ title, rules });
const missing = (title: string, without: string): Check => ({ title, rules: [], without });

/**
 * All checks of Pod Security Standards, Kyverno, Polaris, kube-score, kube-linter, kubesec, Trivy, Gatekeeper's
 * library, Kubescape, the guides of NSA and CIS, and the multi-tenancy benchmarks.
 */
export const CHECKS: readonly Check[] = [
  check("no privileged container", "privileged"),
  check("no privilege escalation", "privilege-escalation"),
  check("runs as non-root", "run-as-non-root", "dockerfile-user"),
  check("no root user or group", "run-as-user", "root-group"),
  check("user id above 10000", "high-user-id"),
  check("drops all capabilities", "capabilities-dropped"),
  check("adds no dangerous capability", "capabilities-added"),
  check("seccomp is on", "seccomp-profile", "seccomp-unconfined"),
  check("AppArmor is on", "app-armor-profile"),
  check("SELinux options are limited", "se-linux-options"),
  check("default proc mount", "proc-mount"),
  check("safe sysctls only", "sysctls"),
  check("no host PID or IPC", "host-namespaces"),
  check("no host network", "host-namespaces"),
  check("no host ports", "host-ports"),
  check("no host path", "host-path-volumes"),
  check("no socket of a container runtime", "host-path-volumes"),
  check("volume types from a list", "volume-types"),
  check("no Windows host process", "windows-host-process"),
  check("no host in probes and hooks", "probe-hosts"),
  check("read-only root file system", "read-only-root"),
  missing("own user namespace", "it needs a kernel and runtime that many clusters do not have yet"),
  check("no host aliases", "host-aliases"),
  check("no ephemeral containers", "debug-containers"),
  check("no ports below 1024, no SSH", "container-ports"),
  check("image tag is not latest", "image-digest"),
  check("image pinned by digest", "image-digest"),
  check("image from an allowed registry", "image-registry"),
  check(
    "slim image, approved base",
    "image-size",
    "image-size-unknown",
    "image-manifest",
    "dockerfile-base",
    "dockerfile-stages",
    "dockerfile-cache",
  ),
  missing(
    "image is signed",
    "it needs a key and an admission controller, which a preview does not have",
  ),
  check("pull policy matches the reference", "image-pull-policy"),
  check("CPU and memory requests", "resources-set"),
  check("CPU and memory limits", "resources-set"),
  check("ceiling and ratio of limits", "resource-ceiling", "limit-ratio"),
  check("limits of scratch space", "resources-set", "scratch-limit"),
  check("valid request of GPUs", "gpu-request"),
  check("namespace has a quota", "namespace-quota"),
  check("namespace has a limit range", "namespace-limit-range"),
  check("namespace counts objects", "namespace-counts"),
  check("no service account token", "service-account-token"),
  check("own service account, which exists", "own-service-account"),
  check("secrets as files", "secret-in-environment"),
  check("no credential in the environment", "literal-credential", "credential-in-stack-file"),
  check("no credential in a ConfigMap", "credential-in-config-map"),
  check("no token that never expires", "lasting-token"),
  check("no cluster-admin", "cluster-admin"),
  check("no wildcard permissions", "wildcard-rights"),
  check("no permissions to read Secrets and exec into pods", "secret-rights", "pod-rights"),
  check("no permissions to escalate", "escalation-rights"),
  check("no permissions for all users", "broad-subjects"),
  check("no permissions for the control plane", "control-plane-rights"),
  check("namespace denies by default", "default-deny-ingress", "default-deny-egress"),
  check("network rules are narrow", "open-ingress", "open-egress"),
  check("no exposed Service", "service-exposure"),
  check("Ingress has host and TLS", "ingress-host", "ingress-tls", "gateway-tls"),
  check("liveness and readiness probes, distinct", "probes", "distinct-probes"),
  check("effective disruption budget", "disruption-budget", "working-budget"),
  check("replicas, spread, rolling update", "single-replica", "spread", "rolling-update"),
  check(
    "valid and only autoscaler",
    "autoscaler-bounds",
    "autoscaler-target",
    "scaled-replicas",
    "single-autoscaler",
  ),
  check("Jobs have limits", "job-deadline", "job-retries", "job-restart-policy", "cron-overlap"),
  check("volume class and size", "volume-claim"),
  check("no removed API version", "api-version"),
  check("own namespace, owner labels, no bare pod", "own-namespace", "owner-labels", "bare-pod"),
  check("namespace enforces Pod Security", "pod-security-labels", "pod-security-pin"),
  check("graceful termination of services", "graceful-stop", "dockerfile-command"),
  check("data is protected", "protected-data"),
  check("no reference to another team", "foreign-namespace", "unused-config-map"),
  check(
    "no bypass by patches, lists or releases",
    "opaque-patch",
    "opaque-release",
    "pod-template",
    "dockerfile",
  ),
];
