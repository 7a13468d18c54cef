import { containersOf, type Pod, ROLES } from "../model/contents";
import { isWorkload, podsOf } from "../model/pods";
import type { KubernetesObject } from "../model/resource";
import { namespaceOf, recordAt } from "../model/stack";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;

const RESERVED = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Cluster-scoped kinds. */
const CLUSTER_WIDE =
  /^(Namespace|PersistentVolume|Node|APIService|.*Class|ClusterRole(Binding)?|CustomResourceDefinition|.*WebhookConfiguration|(Validating|Mutating)AdmissionPolicy(Binding)?|ServiceCIDR|IPAddress|Cluster[A-Z]\w*)$/;

const LABELLED =
  /^(Deployment|StatefulSet|DaemonSet|Job|CronJob|Namespace|Service|PersistentVolumeClaim)$/;

/** Whether an object must have the labels: a kind of the list, or any other kind with pods. */
function isLabelled(object: KubernetesObject): boolean {
  return LABELLED.test(object.kind) || podsOf(object).some(({ spec, partial }) => spec && !partial);
}

/** Groups whose v1 replaced all earlier versions, except for STILL_SERVED. */
const GRADUATED =
  "networking|rbac\\.authorization|admissionregistration|apiextensions|apiregistration|certificates|coordination|scheduling|discovery|events|storage|authentication|authorization|node";

/** API versions that Kubernetes 1.34 has removed, and their replacements. */
const REMOVED: readonly (readonly [RegExp, string])[] = [
  [/^extensions\/v1beta1$/, "apps/v1 or networking.k8s.io/v1"],
  [/^apps\/v1beta[12]$/, "apps/v1"],
  [/^batch\/(v1beta1|v2alpha1)$/, "batch/v1"],
  [/^policy\/v1beta1$/, "policy/v1"],
  [/^autoscaling\/v2beta[12]$/, "autoscaling/v2"],
  [new RegExp(`^(${GRADUATED})\\.k8s\\.io/v1(alpha|beta)1$`), "version v1 of its group"],
  [/^flowcontrol\.apiserver\.k8s\.io\/v1(alpha1|beta\d)$/, "flowcontrol.apiserver.k8s.io/v1"],
];

/** Kinds that 1.34 still serves in a version that is removed for other kinds of the group. */
const STILL_SERVED: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io/v1alpha1 MutatingAdmissionPolicy",
  "admissionregistration.k8s.io/v1alpha1 MutatingAdmissionPolicyBinding",
  "admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicy",
  "admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicyBinding",
  "certificates.k8s.io/v1alpha1 ClusterTrustBundle",
  "certificates.k8s.io/v1alpha1 PodCertificateRequest",
  "certificates.k8s.io/v1beta1 ClusterTrustBundle",
  "coordination.k8s.io/v1beta1 LeaseCandidate",
  "networking.k8s.io/v1beta1 IPAddress",
  "networking.k8s.io/v1beta1 ServiceCIDR",
  "storage.k8s.io/v1alpha1 VolumeAttributesClass",
  "storage.k8s.io/v1beta1 VolumeAttributesClass",
]);

/** Rules for namespaces, labels, API versions and kinds of objects. */
export const METADATA_RULES: readonly Rule[] = [
  {
    ...base,
    name: "own-namespace",
    description: "Objects are in a namespace that has an owner, a quota and network policies.",
    remedy: "Set metadata.namespace to a namespace of this stack.",
    object: (object) =>
      !object.patch && !CLUSTER_WIDE.test(object.kind) && RESERVED.includes(namespaceOf(object))
        ? "metadata.namespace is absent or reserved"
        : undefined,
  },
  {
    ...base,
    name: "bare-pod",
    description: "A pod has a controller that replaces it when its node is lost.",
    remedy: "Use a Deployment, StatefulSet or Job.",
    object: ({ kind }) => (kind === "Pod" ? "kind is Pod" : undefined),
  },
  {
    ...base,
    name: "owner-labels",
    description: "Workloads have labels with their name and owner.",
    remedy:
      "Set the recommended labels of Kubernetes, and the ones in labels of the policy configuration.",
    url: "https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/",
    object: (object, config) => {
      const labels = object.value.metadata?.labels ?? {};
      const missing = config.labels.filter((key) => (labels[key] ?? "") === "");
      return object.patch || !isLabelled(object) || missing.length === 0
        ? undefined
        : `metadata.labels does not have ${missing.join(", ")}`;
    },
  },
  {
    ...base,
    name: "api-version",
    description: "The cluster serves the API version of every object.",
    remedy: "Use the version that replaces it.",
    url: "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    object: ({ apiVersion, kind }) =>
      STILL_SERVED.has(`${apiVersion} ${kind}`)
        ? undefined
        : REMOVED.filter(([removed]) => removed.test(apiVersion)).map(
            ([, successor]) => `apiVersion is no longer served; ${successor} is`,
          ),
  },
  {
    ...base,
    name: "opaque-patch",
    description:
      "There are no patches: the rules see the changes of a patch, but not the resulting object.",
    remedy: "Change the object where it is defined.",
    object: ({ patch }) =>
      patch ? "the resource changes an object that it does not define" : undefined,
  },
  {
    ...base,
    name: "pod-template",
    description: "A workload has a pod template that these rules can read.",
    remedy: "Add a pod template with a list of containers.",
    object: (object) => {
      const isEmpty = (pod: Pod) => ROLES.every((role) => containersOf(pod, role).length === 0);
      return isWorkload(object) && !object.patch && podsOf(object).every(isEmpty)
        ? "the resource has no pod template with containers"
        : undefined;
    },
  },
  {
    ...base,
    name: "opaque-release",
    description:
      "There are no Helm releases and similar: previews and these rules do not see their objects.",
    remedy: "Use helm.v4.Chart, whose objects are resources of the stack.",
    url: "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/choosing-the-right-helm-resource-for-your-use-case/",
    resource: ({ type, props }) =>
      OPAQUE_TYPES.test(type) || OPAQUE_KINDS.test(`${recordAt({ props }, "props").kind}`)
        ? "the resource installs objects that are not in the stack"
        : undefined,
  },
];

const OPAQUE_TYPES = /^kubernetes:helm\.sh\/v3:Release$/;
const OPAQUE_KINDS = /^(HelmRelease|HelmChart|Application|ApplicationSet|Kustomization)$/;
