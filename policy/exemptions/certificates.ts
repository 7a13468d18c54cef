import type { BuiltInExemption } from "./built-in";

const component = "mlplatform:platform:CertManager";

/** What cert-manager needs. */
export const CERTIFICATES_EXEMPTIONS: readonly BuiltInExemption[] = [
  {
    component,
    object: "Release//*-cert-manager-helm",
    rules: ["opaque-release"],
    reason:
      "Pulumi's component for cert-manager creates a Helm release, whose chart is pinned. The tests check each of its objects.",
  },
  {
    component,
    object: "NetworkPolicy/*/*-cert-manager-webhook",
    rules: ["open-ingress"],
    reason:
      "The API server calls the webhook and is not a pod, so no selector matches it. The webhook only answers whether objects are valid.",
  },
  {
    component,
    object: "Namespace//*-cert-manager-namespace",
    rules: ["default-deny-egress"],
    reason:
      "cert-manager calls the API server, which no selector matches, and ACME and DNS servers outside of the cluster.",
  },
  {
    component,
    object: "Namespace//*-cert-manager-namespace",
    rules: ["namespace-quota", "namespace-counts", "namespace-limit-range"],
    reason:
      "The namespace contains only the pods of cert-manager, which have limits. Nobody else may create any.",
  },
];
