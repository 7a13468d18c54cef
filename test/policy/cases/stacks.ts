import {
  binding,
  claim,
  configMap,
  deployment,
  httpRoute,
  namespace,
  networkPolicy,
  service,
} from "../objects";
import type { RuleCases } from "./case";

const CONTAINER = "[0].spec.template.spec.containers[0]";
const container = "spec.template.spec.containers[0]";
const mounted = { [`${CONTAINER}.envFrom`]: [{ configMapRef: { name: "settings" } }] };
const settings = { ...configMap, metadata: { ...configMap.metadata, name: "settings" } };

/** Rules about data, other stacks, and objects in general. */
export const STACK_CASES: Readonly<Record<string, RuleCases>> = {
  "volume-claim": {
    good: [claim],
    config: { storage: { largest: "100Gi", classes: ["fast", ""] } },
    passes: { "an allowed class": { "[0].spec.storageClassName": "fast" } },
    fails: {
      nothing: [
        { "[0].spec": null },
        "spec.resources.requests.storage is absent",
        "spec.accessModes is empty",
      ],
      "too large": [
        { "[0].spec.resources.requests.storage": "1Ti" },
        "spec.resources.requests.storage is above storage.largest",
      ],
      "another class": [
        { "[0].spec.storageClassName": "slow" },
        "spec.storageClassName is not among storage.classes",
      ],
    },
  },
  "protected-data": {
    good: [claim, namespace],
    options: { protect: true },
    fails: {},
    failsWith: [
      { protect: false },
      "the resource is not protected",
      "the resource is not protected",
    ],
  },
  "foreign-namespace": {
    good: [deployment, namespace, binding, networkPolicy, httpRoute],
    passes: {
      "a namespace of the platform": { [`${CONTAINER}.env[0].value`]: "http://a.kube-system.svc" },
      "a stack without namespaces": { "[1]": undefined, "[0].metadata.namespace": "other" },
    },
    fails: {
      "an object": [
        { "[0].metadata.namespace": "other" },
        "metadata.namespace names a namespace of somebody else",
      ],
      "a subject": [
        { "[2].subjects[0].namespace": "other" },
        "subjects[0].namespace names a namespace of somebody else",
      ],
      "a peer": [
        {
          "[3].spec.ingress[0].from[0].namespaceSelector.matchLabels[kubernetes.io/metadata.name]":
            "other",
        },
        "spec.ingress[0] names a namespace of somebody else",
      ],
      "a Gateway": [
        { "[4].spec.parentRefs[0].namespace": "other" },
        "spec.parentRefs[0] names a namespace of somebody else",
      ],
      "a Service behind a route": [
        { "[4].spec.rules[0].backendRefs[0].namespace": "other" },
        "spec.rules[0].backendRefs[0] names a namespace of somebody else",
      ],
      "a Service": [
        { [`${CONTAINER}.env[0].value`]: "http://mlflow.other.svc.cluster.local:5000" },
        `${container}.env[0] names a namespace of somebody else`,
      ],
      "a Service, in an argument": [
        { [`${CONTAINER}.args[0]`]: "--tracking=mlflow.other.svc" },
        `${container}.args[0] names a namespace of somebody else`,
      ],
    },
  },
  "unused-config-map": {
    good: [{ ...deployment, metadata: settings.metadata }],
    passes: { mounted: { ...mounted, "[1]": settings } },
    fails: { unused: [{ "[1]": settings }, "no object of this stack names it"] },
  },
  "own-namespace": {
    good: [deployment, namespace],
    fails: {
      "the default one": [
        { "[0].metadata.namespace": undefined },
        "metadata.namespace is absent or reserved",
      ],
      "the system's": [
        { "[0].metadata.namespace": "kube-system" },
        "metadata.namespace is absent or reserved",
      ],
    },
  },
  "bare-pod": {
    good: [deployment],
    fails: { pod: [{ "[0].apiVersion": "v1", "[0].kind": "Pod" }, "kind is Pod"] },
  },
  "owner-labels": {
    good: [deployment, service],
    fails: {
      none: [
        { "[1].metadata.labels": null },
        "metadata.labels lacks app.kubernetes.io/name, app.kubernetes.io/instance, app.kubernetes.io/part-of, ml-platform/owner",
      ],
      "an empty one": [
        { "[0].metadata.labels[ml-platform/owner]": "" },
        "metadata.labels lacks ml-platform/owner",
      ],
    },
  },
  "api-version": {
    good: [deployment],
    passes: {
      "a beta that is served": {
        "[0].apiVersion": "storage.k8s.io/v1beta1",
        "[0].kind": "VolumeAttributesClass",
      },
    },
    fails: {
      "a removed one": [
        { "[0].apiVersion": "extensions/v1beta1" },
        "apiVersion is no longer served; apps/v1 or networking.k8s.io/v1 is",
      ],
      "of a group with a domain": [
        { "[0].apiVersion": "rbac.authorization.k8s.io/v1beta1" },
        "apiVersion is no longer served; version v1 of its group is",
      ],
    },
  },
  "opaque-patch": {
    good: [deployment],
    fails: {},
    failsWith: [
      { type: "kubernetes:apps/v1:DeploymentPatch" },
      "the resource patches a workload, a namespace or rights",
    ],
  },
  "opaque-release": {
    good: [deployment],
    fails: {
      "a release of an operator": [
        { "[0].apiVersion": "helm.toolkit.fluxcd.io/v2", "[0].kind": "HelmRelease" },
        "the resource installs objects that are not in the stack",
      ],
    },
    failsWith: [
      { type: "kubernetes:helm.sh/v3:Release" },
      "the resource installs objects that are not in the stack",
    ],
  },
};
