import { cronJob, deployment, namespace, service, trainJob } from "../objects";
import type { RuleCases } from "./case";

const EMPTY = "the resource has no pod template with containers";

/** Rules for metadata and kinds of objects. */
export const METADATA_CASES: Readonly<Record<string, RuleCases>> = {
  "own-namespace": {
    good: [deployment, namespace],
    fails: {
      "the default one": [
        { "[0].metadata.namespace": undefined },
        "metadata.namespace is absent or reserved",
      ],
      "kube-system": [
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
    good: [deployment, service, trainJob],
    fails: {
      "of a custom resource with pods": [
        { "[2].metadata.labels[ml-platform/owner]": undefined },
        "metadata.labels does not have ml-platform/owner",
      ],
      none: [
        { "[1].metadata.labels": null },
        "metadata.labels does not have app.kubernetes.io/name, app.kubernetes.io/instance, app.kubernetes.io/part-of, ml-platform/owner",
      ],
      "an empty one": [
        { "[0].metadata.labels[ml-platform/owner]": "" },
        "metadata.labels does not have ml-platform/owner",
      ],
    },
  },
  "api-version": {
    good: [deployment],
    passes: {
      "a served beta version": {
        "[0].apiVersion": "storage.k8s.io/v1beta1",
        "[0].kind": "VolumeAttributesClass",
      },
      "another group": { "[0].apiVersion": "networking.example.com/v1beta1" },
    },
    fails: {
      "a removed one of a group with betas": [
        {
          "[0].apiVersion": "admissionregistration.k8s.io/v1beta1",
          "[0].kind": "ValidatingAdmissionPolicy",
        },
        "apiVersion is no longer served; version v1 of its group is",
      ],
      "a removed one": [
        { "[0].apiVersion": "extensions/v1beta1" },
        "apiVersion is no longer served; apps/v1 or networking.k8s.io/v1 is",
      ],
      "of a group with a domain": [
        { "[0].apiVersion": "rbac.authorization.k8s.io/v1beta1" },
        "apiVersion is no longer served; version v1 of its group is",
      ],
      "an alpha": [
        { "[0].apiVersion": "rbac.authorization.k8s.io/v1alpha1" },
        "apiVersion is no longer served; version v1 of its group is",
      ],
    },
  },
  "opaque-patch": {
    good: [deployment],
    fails: {},
    failsWith: [
      { type: "kubernetes:apps/v1:DeploymentPatch" },
      "the resource changes an object that it does not define",
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
  "pod-template": {
    good: [deployment, cronJob, trainJob],
    passes: { "a kind that is not built in": { "[2].kind": "Job", "[2].spec": {} } },
    fails: {
      "no template": [{ "[0].spec.template": null }, EMPTY],
      "no pod": [{ "[1].spec.jobTemplate.spec.template.spec": undefined }, EMPTY],
      "no containers": [{ "[0].spec.template.spec.containers": [] }, EMPTY],
    },
  },
};
