import type { BuiltInExemption } from "./built-in";

/** What the job that fetches files needs. */
export const DATA_EXEMPTIONS: readonly BuiltInExemption[] = [
  {
    component: "mlplatform:team:DataFetch",
    object: "NetworkPolicy/*/*-fetch-sources",
    rules: ["open-egress"],
    reason:
      "Sources outside of the cluster are given by host name, and network policies match only addresses.",
  },
];
