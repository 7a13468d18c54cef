import { isRecord } from "../model/pods";
import type { KubernetesObject } from "../model/resource";
import { list, nameOf, namespaceOf, part, type Stack } from "../model/stack";
import { letsEverybodyIn, letsEverybodyOut } from "./network";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const LABEL = "pod-security.kubernetes.io";
const ADMISSION = "https://kubernetes.io/docs/concepts/security/pod-security-admission/";
const TENANCY = "https://kubernetes.io/docs/concepts/security/multi-tenancy/";

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

function limits(quota: KubernetesObject): string[] {
  const hard = part(quota.value, "spec", "hard");
  return Object.keys(isRecord(hard) ? hard : {});
}

/** Whether a policy closes all pods of its namespace in one direction, but for what it names. */
function closes(policy: KubernetesObject, direction: "Ingress" | "Egress"): boolean {
  const spec = part(policy.value, "spec");
  const all = Object.values(part(spec, "podSelector")).every(
    (terms) => Object.keys(terms ?? {}).length === 0,
  );
  const open = direction === "Ingress" ? letsEverybodyIn(policy) : letsEverybodyOut(policy);
  // What the API server fills in where policyTypes is absent.
  const types = list(spec.policyTypes ?? ["Ingress", ...(spec.egress ? ["Egress"] : [])]);
  return all && types.includes(direction) && open.length === 0;
}

/** What makes a namespace a room of its own. */
export const NAMESPACE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "pod-security-labels",
    about: "The API server itself refuses what these rules would, whoever asks for it.",
    remedy: `Set the labels ${LABEL}/enforce to restricted, and ${LABEL}/enforce-version.`,
    url: ADMISSION,
    object: (object) =>
      object.kind !== "Namespace"
        ? undefined
        : [
            ...(labelsOf(object)[`${LABEL}/enforce`] === "restricted"
              ? []
              : [`metadata.labels does not set ${LABEL}/enforce to restricted`]),
            ...((labelsOf(object)[`${LABEL}/enforce-version`] ?? "") === ""
              ? [`metadata.labels does not set ${LABEL}/enforce-version`]
              : []),
          ],
  },
  {
    ...base,
    name: "pod-security-pin",
    level: "advisory",
    about: "An upgrade of the cluster does not change what is admitted: raising the version does.",
    remedy: `Set the label ${LABEL}/enforce-version to a version such as v1.34.`,
    url: ADMISSION,
    object: (object) =>
      object.kind === "Namespace" && labelsOf(object)[`${LABEL}/enforce-version`] === "latest"
        ? `metadata.labels sets ${LABEL}/enforce-version to latest`
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
      inside(namespace, stack, "ResourceQuota").some((quota) =>
        ["cpu", "memory"].every((name) =>
          limits(quota).some((key) => key === name || key === `requests.${name}`),
        ),
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
      inside(namespace, stack, "ResourceQuota").some((quota) =>
        limits(quota).some((key) =>
          /^(count\/|services$|persistentvolumeclaims$|secrets$|configmaps$)/.test(key),
        ),
      ),
  ),
  room(
    "namespace-limit-range",
    {
      about: "A container without limits gets some.",
      remedy: "Create a LimitRange in it, with default and defaultRequest of containers.",
      problem: "the namespace has no LimitRange",
    },
    (namespace, stack) => inside(namespace, stack, "LimitRange").length > 0,
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
