import {
  binding,
  claim,
  configMap,
  deployment,
  httpRoute,
  namespace,
  networkPolicy,
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
};
