import type { BuiltInExemption } from "./built-in";

/** What Prometheus needs. */
export const MONITORING_EXEMPTIONS: readonly BuiltInExemption[] = [
  {
    component: "mlplatform:platform:Prometheus",
    object: "Deployment/*/*-prometheus",
    rules: ["service-account-token"],
    reason: "Prometheus gets the list of pods to scrape from the API server.",
  },
];
