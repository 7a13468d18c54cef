import type { KubernetesObject } from "../model/resource";
import { list, nameOf, namespaceOf, part, type Stack } from "../model/stack";
import { letsEverybodyIn, letsEverybodyOut } from "./network";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const ENFORCE = "pod-security.kubernetes.io/enforce";
const ENFORCE_VERSION = `${ENFORCE}-version`;
/** Of the Kubernetes version whose standards these rules are: older ones admit more. */
const MINOR = 34;
const ADMISSION = "https://kubernetes.io/docs/concepts/security/pod-security-admission/";
const TENANCY = "https://kubernetes.io/docs/concepts/security/multi-tenancy/";

/** What a quota and defaults are needed of. */
const COMPUTE = ["cpu", "memory"];

/** Whether a version of the standards is as strict as these rules. */
function isCurrent(version: string): boolean {
  const [, minor] = /^v1\.(\d+)$/.exec(version) ?? [];
  return version === "latest" || Number(minor) >= MINOR;
}

function labelsOf({ value }: KubernetesObject): Record<string, string> {
  return value.metadata?.labels ?? {};
}

/** Objects of one kind that stand in the namespace that an object is. */
function inside(namespace: KubernetesObject, stack: Stack, kind: string): KubernetesObject[] {
  return stack.of(kind).filter((object) => namespaceOf(object) === nameOf(namespace));
}

/** A rule for namespaces, which look for something in them. */
function room(
  name: string,
  texts: { about: string; remedy: string; problem: string },
  has: (namespace: KubernetesObject, stack: Stack) => boolean,
): Rule {
  return {
    ...base,
    name,
    about: texts.about,
    remedy: texts.remedy,
    url: TENANCY,
    inStack: (object, stack) =>
      object.kind === "Namespace" && !has(object, stack) ? texts.problem : undefined,
  };
}

/** What the quotas of a namespace count, each for all pods: a scope may leave every one out. */
function quotas(namespace: KubernetesObject, stack: Stack): string[][] {
  return inside(namespace, stack, "ResourceQuota")
    .map(({ value }) => part(value, "spec"))
    .filter(
      ({ scopes, scopeSelector }) =>
        list(scopes).length === 0 &&
        list(part({ scopeSelector }, "scopeSelector").matchExpressions).length === 0,
    )
    .map((spec) => Object.keys(part(spec, "hard")));
}

/** What a container without limits gets from an entry of a LimitRange; the API server takes `max` for a default. */
function defaults(entry: unknown): string[] {
  const limits = part({ entry }, "entry");
  return limits.type === "Container"
    ? [...Object.keys(part(limits, "default")), ...Object.keys(part(limits, "max"))]
    : [];
}

/** Whether a policy closes all pods of its namespace in one direction, but for what it names. */
function closes(policy: KubernetesObject, direction: "Ingress" | "Egress"): boolean {
  const spec = part(policy.value, "spec");
  const all = Object.values(part(spec, "podSelector")).every(
    (terms) => Object.keys(terms ?? {}).length === 0,
  );
  const open = direction === "Ingress" ? letsEverybodyIn(policy) : letsEverybodyOut(policy);
  // What the API server fills in where policyTypes is absent.
  const types = list(
    spec.policyTypes ?? ["Ingress", ...(list(spec.egress).length > 0 ? ["Egress"] : [])],
  );
  return all && types.includes(direction) && open.length === 0;
}

/** What makes a namespace a room of its own. */
export const NAMESPACE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "pod-security-labels",
    about: "The API server itself refuses what these rules would, whoever asks for it.",
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
    about: "An upgrade of the cluster does not change what is admitted: raising the version does.",
    remedy: `Set the label ${ENFORCE_VERSION} to a version such as v1.${MINOR}.`,
    url: ADMISSION,
    object: (object) =>
      object.kind === "Namespace" && labelsOf(object)[ENFORCE_VERSION] === "latest"
        ? `metadata.labels sets ${ENFORCE_VERSION} to latest`
        : undefined,
  },
  room(
    "namespace-quota",
    {
      about: "A namespace cannot take more than its share.",
      remedy: "Create a ResourceQuota in it for requests.cpu and requests.memory.",
      problem: "the namespace has no quota of CPU and memory",
    },
    (namespace, stack) =>
      quotas(namespace, stack).some((keys) =>
        COMPUTE.every((name) => keys.includes(name) || keys.includes(`requests.${name}`)),
      ),
  ),
  room(
    "namespace-counts",
    {
      about: "A namespace cannot fill the cluster's store with small objects.",
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
  room(
    "namespace-limit-range",
    {
      about: "A container without limits gets some.",
      remedy: "Create a LimitRange in it, with default and defaultRequest of containers.",
      problem: "the namespace has no LimitRange with defaults of CPU and memory",
    },
    (namespace, stack) => {
      const given = inside(namespace, stack, "LimitRange")
        .flatMap(({ value }) => list(part(value, "spec").limits))
        .flatMap(defaults);
      return COMPUTE.every((name) => given.includes(name));
    },
  ),
  room(
    "default-deny-ingress",
    {
      about: "Nobody connects to a pod but those who are named.",
      remedy: "Create a NetworkPolicy in it with an empty podSelector and policyTypes Ingress.",
      problem: "the namespace has no NetworkPolicy that closes its pods to callers",
    },
    (namespace, stack) =>
      inside(namespace, stack, "NetworkPolicy").some((policy) => closes(policy, "Ingress")),
  ),
  room(
    "default-deny-egress",
    {
      about: "A pod connects to nobody but those who are named.",
      remedy: "Create a NetworkPolicy in it with an empty podSelector and policyTypes Egress.",
      problem: "the namespace has no NetworkPolicy that keeps its pods from calling out",
    },
    (namespace, stack) =>
      inside(namespace, stack, "NetworkPolicy").some((policy) => closes(policy, "Egress")),
  ),
];
