import { completeNamespace, namespace } from "../objects";
import type { RuleCases } from "./case";

const ENFORCE = "[0].metadata.labels[pod-security.kubernetes.io/enforce]";
const VERSION = "[0].metadata.labels[pod-security.kubernetes.io/enforce-version]";

/** Rules for the isolation of namespaces. */
export const NAMESPACE_CASES: Readonly<Record<string, RuleCases>> = {
  "pod-security-labels": {
    good: [namespace],
    passes: {
      "the newest version": { [VERSION]: "latest" },
      "a newer one": { [VERSION]: "v1.40" },
    },
    fails: {
      "a lower level": [
        { [ENFORCE]: "baseline" },
        "metadata.labels does not set pod-security.kubernetes.io/enforce to restricted",
      ],
      "no labels": [
        { "[0].metadata.labels": null },
        "metadata.labels does not set pod-security.kubernetes.io/enforce to restricted",
        "metadata.labels does not set pod-security.kubernetes.io/enforce-version to v1.34 or later",
      ],
      "the standards of an older version": [
        { [VERSION]: "v1.24" },
        "metadata.labels does not set pod-security.kubernetes.io/enforce-version to v1.34 or later",
      ],
    },
  },
  "pod-security-pin": {
    good: [namespace],
    fails: {
      latest: [
        { [VERSION]: "latest" },
        "metadata.labels sets pod-security.kubernetes.io/enforce-version to latest",
      ],
    },
  },
  "namespace-quota": {
    good: completeNamespace,
    passes: { "by its short names": { "[1].spec.hard": { cpu: "4", memory: "8Gi" } } },
    fails: {
      none: [{ "[1]": undefined }, "the namespace has no quota of CPU and memory"],
      "of another namespace": [
        { "[1].metadata.namespace": "other" },
        "the namespace has no quota of CPU and memory",
      ],
      "of CPU alone": [
        { "[1].spec.hard[requests.memory]": undefined },
        "the namespace has no quota of CPU and memory",
      ],
      "for pods of one priority class": [
        {
          "[1].spec.scopeSelector.matchExpressions": [
            { scopeName: "PriorityClass", operator: "In", values: ["rare"] },
          ],
        },
        "the namespace has no quota of CPU and memory",
      ],
      "for pods that terminate": [
        { "[1].spec.scopes": ["Terminating"] },
        "the namespace has no quota of CPU and memory",
      ],
    },
  },
  "namespace-counts": {
    good: completeNamespace,
    passes: { counted: { "[1].spec.hard": { "count/jobs.batch": "10" } } },
    fails: {
      none: [{ "[1].spec.hard.services": undefined }, "the namespace has no quota of objects"],
    },
  },
  "namespace-limit-range": {
    good: completeNamespace,
    passes: {
      "in two entries": {
        "[2].spec.limits": [
          { type: "Container", default: { cpu: "1" } },
          { type: "Container", default: { memory: "1Gi" } },
        ],
      },
      "with max as default": {
        "[2].spec.limits": [{ type: "Container", max: { cpu: "1", memory: "1Gi" } }],
      },
    },
    fails: {
      none: [
        { "[2]": undefined },
        "the namespace has no LimitRange with defaults of CPU and memory",
      ],
      "an empty one": [
        { "[2].spec.limits": [] },
        "the namespace has no LimitRange with defaults of CPU and memory",
      ],
      "of CPU alone": [
        { "[2].spec.limits[0].default": { cpu: "1" } },
        "the namespace has no LimitRange with defaults of CPU and memory",
      ],
      "of volumes": [
        { "[2].spec.limits[0].type": "PersistentVolumeClaim" },
        "the namespace has no LimitRange with defaults of CPU and memory",
      ],
    },
  },
  "default-deny-ingress": {
    good: completeNamespace,
    passes: { "by default": { "[3].spec.policyTypes": null } },
    fails: {
      none: [
        { "[3]": undefined },
        "the namespace has no NetworkPolicy that denies ingress by default",
      ],
      "for some pods": [
        { "[3].spec.podSelector": { matchLabels: { app: "a" } } },
        "the namespace has no NetworkPolicy that denies ingress by default",
      ],
      "that allows all": [
        { "[3].spec.ingress": [{}] },
        "the namespace has no NetworkPolicy that denies ingress by default",
      ],
    },
  },
  "default-deny-egress": {
    good: completeNamespace,
    fails: {
      "for ingress only": [
        { "[3].spec.policyTypes": ["Ingress"] },
        "the namespace has no NetworkPolicy that denies egress by default",
      ],
      "with empty egress rules and without policyTypes": [
        { "[3].spec.policyTypes": undefined, "[3].spec.egress": [] },
        "the namespace has no NetworkPolicy that denies egress by default",
      ],
      "for DNS on all ports": [
        { "[3].spec.egress[0].ports[0].endPort": 65535 },
        "the namespace has no NetworkPolicy that denies egress by default",
      ],
      "that allows all": [
        { "[3].spec.egress": [{}] },
        "the namespace has no NetworkPolicy that denies egress by default",
      ],
    },
  },
};
