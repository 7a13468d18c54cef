import type { BuiltInExemption } from "./built-in";

const component = "mlplatform:team:TrackingServer";

/** What the tracking server needs. */
export const TRACKING_EXEMPTIONS: readonly BuiltInExemption[] = [
  {
    component,
    object: "NetworkPolicy/*/*-tracking-stores",
    rules: ["open-egress"],
    reason:
      "Stores outside of the cluster are given by host name, and network policies match only addresses.",
  },
  {
    component,
    object: "Deployment/*/*-tracking",
    rules: ["secret-in-environment"],
    reason:
      "The PostgreSQL and S3 clients of the tracking server read credentials from the environment.",
  },
];
