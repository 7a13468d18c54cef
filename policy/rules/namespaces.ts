import type { KubernetesObject } from "../model/resource";
import { list, nameOf, namespaceOf, recordAt, type Stack } from "../model/stack";
import { allowsAllEgress, allowsAllIngress } from "./network";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const ENFORCE = "pod-security.kubernetes.io/enforce";
const ENFORCE_VERSION = `${ENFORCE}-version`;
/** Minor Kubernetes version of the standards in these rules: older versions admit more. */
const MINOR = 34;
const ADMISSION = "https://kubernetes.io/docs/concepts/security/pod-security-admission/";
const TENANCY = "https://kubernetes.io/docs/concepts/security/multi-tenancy/";

/** Resources that need a quota and defaults. */
const COMPUTE = ["cpu", "memory"];

/** Whether a version of the standards is as strict as these rules. */
function isCurrent(version: string): boolean {
  const [, minor] = /^v1\.(\d+)$/.exec(version) ?? [];
  return version === "latest" || Number(minor) >= MINOR;
}

function labelsOf({ value }: KubernetesObject): Record<string, string> {
  return value.metadata?.labels ?? {};
}

/** Objects of one kind in a namespace. */
function objectsIn(namespace: KubernetesObject, stack: Stack, kind: string): KubernetesObject[] {
  return stack.of(kind).filter((object) => namespaceOf(object) === nameOf(namespace));
}

/** A rule that requires objects in a namespace. */
function namespaceRule(
  name: string,
  texts: { description: string; remedy: string; problem: string },
  has: (namespace: KubernetesObject, stack: Stack) => boolean,
): Rule {
  return {
    ...base,
    name,
    description: texts.description,
    remedy: texts.remedy,
    url: TENANCY,
    inStack: (object, stack) =>
      object.kind === "Namespace" && !has(object, stack) ? texts.problem : undefined,
  };
}

/** Resources of the quotas of a namespace, without quotas with a scope, which may not apply to any pod. */
function quotas(namespace: KubernetesObject, stack: Stack): string[][] {
  return objectsIn(namespace, stack, "ResourceQuota")
    .map(({ value }) => recordAt(value, "spec"))
    .filter(
      ({ scopes, scopeSelector }) =>
        list(scopes).length === 0 &&
        list(recordAt({ scopeSelector }, "scopeSelector").matchExpressions).length === 0,
    )
    .map((spec) => Object.keys(recordAt(spec, "hard")));
}

/** Resources for which an entry of a LimitRange has defaults; the API server uses `max` as a default. */
function defaults(entry: unknown): string[] {
  const limits = recordAt({ entry }, "entry");
  return limits.type === "Container"
    ? [...Object.keys(recordAt(limits, "default")), ...Object.keys(recordAt(limits, "max"))]
    : [];
}

/** Whether a policy denies a direction by default for all pods of its namespace. */
function deniesByDefault(policy: KubernetesObject, direction: "Ingress" | "Egress"): boolean {
  const spec = recordAt(policy.value, "spec");
  const all = Object.values(recordAt(spec, "podSelector")).every(
    (terms) => Object.keys(terms ?? {}).length === 0,
  );
  const open = direction === "Ingress" ? allowsAllIngress(policy) : allowsAllEgress(policy);
  // The default of policyTypes.
  const types = list(
    spec.policyTypes ?? ["Ingress", ...(list(spec.egress).length > 0 ? ["Egress"] : [])],
  );
  return all && types.includes(direction) && open.length === 0;
}

/** Rules for the isolation of namespaces. */
export const NAMESPACE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "pod-security-labels",
    description: "The API server enforces the restricted level for all clients.",
    remedy: `Set the labels ${ENFORCE} to restricted, and ${ENFORCE_VERSION} to v1.${MINOR}.`,
    url: ADMISSION,
    object: (object) => {
      if (object.kind !== "Namespace") {
        return undefined;
      }
      const { [ENFORCE]: level, [ENFORCE_VERSION]: version = "" } = labelsOf(object);
      return [
        ...(level === "restricted"
          ? []
          : [`metadata.labels does not set ${ENFORCE} to restricted`]),
        ...(isCurrent(version)
          ? []
          : [`metadata.labels does not set ${ENFORCE_VERSION} to v1.${MINOR} or later`]),
      ];
    },
  },
  {
    ...base,
    name: "pod-security-pin",
    level: "advisory",
    description:
      "An upgrade of the cluster does not change admission; only a new version label does.",
    remedy: `Set the label ${ENFORCE_VERSION} to a version such as v1.${MINOR}.`,
    url: ADMISSION,
    object: (object) =>
      object.kind === "Namespace" && labelsOf(object)[ENFORCE_VERSION] === "latest"
        ? `metadata.labels sets ${ENFORCE_VERSION} to latest`
        : undefined,
  },
  namespaceRule(
    "namespace-quota",
    {
      description: "The compute resources of a namespace are limited.",
      remedy: "Create a ResourceQuota in it for requests.cpu and requests.memory.",
      problem: "the namespace has no quota of CPU and memory",
    },
    (namespace, stack) =>
      quotas(namespace, stack).some((keys) =>
        COMPUTE.every((name) => keys.includes(name) || keys.includes(`requests.${name}`)),
      ),
  ),
  namespaceRule(
    "namespace-counts",
    {
      description: "The number of objects in a namespace is limited, so that it cannot fill etcd.",
      remedy: "Count services, persistentvolumeclaims, secrets or configmaps in its ResourceQuota.",
      problem: "the namespace has no quota of objects",
    },
    (namespace, stack) =>
      quotas(namespace, stack).some((keys) =>
        keys.some((key) =>
          /^(count\/|services$|persistentvolumeclaims$|secrets$|configmaps$)/.test(key),
        ),
      ),
  ),
  namespaceRule(
    "namespace-limit-range",
    {
      description: "A container without limits gets default limits.",
      remedy: "Create a LimitRange in it, with default and defaultRequest of containers.",
      problem: "the namespace has no LimitRange with defaults of CPU and memory",
    },
    (namespace, stack) => {
      const given = objectsIn(namespace, stack, "LimitRange")
        .flatMap(({ value }) => list(recordAt(value, "spec").limits))
        .flatMap(defaults);
      return COMPUTE.every((name) => given.includes(name));
    },
  ),
  namespaceRule(
    "default-deny-ingress",
    {
      description: "Only named clients can connect to a pod.",
      remedy: "Create a NetworkPolicy in it with an empty podSelector and policyTypes Ingress.",
      problem: "the namespace has no NetworkPolicy that denies ingress by default",
    },
    (namespace, stack) =>
      objectsIn(namespace, stack, "NetworkPolicy").some((policy) =>
        deniesByDefault(policy, "Ingress"),
      ),
  ),
  namespaceRule(
    "default-deny-egress",
    {
      description: "A pod can connect only to named destinations.",
      remedy: "Create a NetworkPolicy in it with an empty podSelector and policyTypes Egress.",
      problem: "the namespace has no NetworkPolicy that denies egress by default",
    },
    (namespace, stack) =>
      objectsIn(namespace, stack, "NetworkPolicy").some((policy) =>
        deniesByDefault(policy, "Egress"),
      ),
  ),
];
