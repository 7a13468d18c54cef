import type { BuiltInExemption } from "./built-in";

const component = "mlplatform:platform:Platform";

/**
 * What the platform's own namespace needs. The pattern leaves out the namespaces of the components below
 * the platform (`platform-device-plugin-namespace`), which have exemptions of their own.
 */
export const PLATFORM_EXEMPTIONS: readonly BuiltInExemption[] = [
  {
    component,
    object: "Namespace//*platform-namespace",
    rules: ["namespace-quota", "namespace-counts", "namespace-limit-range"],
    reason:
      "The platform's namespace contains only its own few pods, which have limits. Nobody else may create any.",
  },
  {
    component,
    object: "Namespace//*platform-namespace",
    rules: ["default-deny-egress"],
    reason:
      "Prometheus scrapes pods in all namespaces. Prometheus and the adapter call the API server, which no selector matches.",
  },
];
