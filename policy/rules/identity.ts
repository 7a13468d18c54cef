import { podsOf } from "../model/pods";
import { list, nameOf, namespaceOf, recordAt } from "../model/stack";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/security/service-accounts/",
} as const;

/** Rules for service accounts of pods. */
export const IDENTITY_RULES: readonly Rule[] = [
  {
    ...base,
    name: "service-account-token",
    description:
      "A pod has no service account token, so that an attacker in the pod has no access to the API server.",
    remedy: "Set automountServiceAccountToken to false.",
    pod: ({ spec }) => [
      ...(spec.automountServiceAccountToken === false
        ? []
        : ["automountServiceAccountToken is not false"]),
      ...(spec.volumes ?? []).flatMap((volume, index) =>
        list(recordAt(volume, "projected").sources).some(
          (source) => recordAt({ source }, "source").serviceAccountToken !== undefined,
        )
          ? `volumes[${index}].projected has a serviceAccountToken`
          : [],
      ),
    ],
  },
  {
    ...base,
    name: "own-service-account",
    description:
      "A workload has its own service account, so that its permissions are not shared with others.",
    remedy: "Create a ServiceAccount in this stack, and name it in serviceAccountName.",
    pod: ({ spec }) =>
      ["", "default"].includes(spec.serviceAccountName ?? "")
        ? "serviceAccountName is the default of the namespace"
        : undefined,
    inStack: (object, stack) =>
      stack.namespaces.has(namespaceOf(object))
        ? podsOf(object).flatMap(({ spec, path }) =>
            ["", "default"].includes(spec.serviceAccountName ?? "") ||
            stack
              .of("ServiceAccount")
              .some(
                (account) =>
                  nameOf(account) === spec.serviceAccountName &&
                  namespaceOf(account) === namespaceOf(object),
              )
              ? []
              : `${path}.serviceAccountName is not a ServiceAccount of this stack`,
          )
        : undefined,
  },
];
