import { podsOf } from "../model/pods";
import { list, nameOf, namespaceOf, part } from "../model/stack";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/security/service-accounts/",
} as const;

/** Who a pod is to the API server. */
export const IDENTITY_RULES: readonly Rule[] = [
  {
    ...base,
    name: "service-account-token",
    about: "A pod holds no token of the API server: who breaks into it can ask for nothing.",
    remedy: "Set automountServiceAccountToken to false.",
    pod: ({ spec }) => [
      ...(spec.automountServiceAccountToken === false
        ? []
        : ["automountServiceAccountToken is not false"]),
      ...(spec.volumes ?? []).flatMap((volume, index) =>
        list(part(volume, "projected").sources).some(
          (source) => part({ source }, "source").serviceAccountToken !== undefined,
        )
          ? `volumes[${index}].projected holds a serviceAccountToken`
          : [],
      ),
    ],
  },
  {
    ...base,
    name: "own-service-account",
    about:
      "A workload has an account of its own, so that rights given to one are not given to all.",
    remedy: "Create a ServiceAccount in this stack, and name it in serviceAccountName.",
    pod: ({ spec }) =>
      ["", "default"].includes(spec.serviceAccountName ?? "")
        ? "serviceAccountName is the namespace's default"
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
              : `${path}.serviceAccountName names no account of this stack`,
          )
        : undefined,
  },
];
