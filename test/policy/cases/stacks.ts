import { NAMESPACE_NAME } from "../../../policy/model/stack";
import {
  binding,
  claim,
  configMap,
  deployment,
  httpRoute,
  namespace,
  networkPolicy,
  role,
} from "../objects";
import type { RuleCases } from "./case";

const CONTAINER = "[0].spec.template.spec.containers[0]";
const POD = "[0].spec.template.spec";
const pod = "spec.template.spec";
const container = `${pod}.containers[0]`;
const large = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Ti" } } };
/** Moves the first five objects into a namespace of the platform. */
const elsewhere = Object.fromEntries(
  [0, 2, 3, 4].map((index) => [`[${index}].metadata.namespace`, "shared"]),
);
const mounted = { [`${CONTAINER}.envFrom`]: [{ configMapRef: { name: "settings" } }] };
const settings = { ...configMap, metadata: { ...configMap.metadata, name: "settings" } };

/** Rules for data, and for references between objects and stacks. */
export const STACK_CASES: Readonly<Record<string, RuleCases>> = {
  "volume-claim": {
    good: [claim],
    config: { storage: { largest: "100Gi", classes: ["fast", ""] } },
    passes: {
      "an allowed class": { "[0].spec.storageClassName": "fast" },
      "the schema of a kind with claim templates": {
        "[0].kind": "CustomResourceDefinition",
        "[0].spec": { properties: { volumeClaimTemplate: { type: "object" } } },
      },
    },
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
      "in the template of a StatefulSet": [
        {
          "[0].kind": "StatefulSet",
          "[0].spec": {
            volumeClaimTemplates: [
              { spec: { ...(claim.spec as object), storageClassName: "slow" } },
            ],
          },
        },
        "spec.volumeClaimTemplates[0].spec.storageClassName is not among storage.classes",
      ],
      "in an ephemeral volume": [
        {
          "[0]": deployment,
          [`${POD}.volumes[1]`]: { ephemeral: { volumeClaimTemplate: { spec: large } } },
        },
        `${pod}.volumes[1].ephemeral.volumeClaimTemplate.spec.resources.requests.storage is above storage.largest`,
      ],
      "of an operator": [
        {
          "[0].kind": "Prometheus",
          "[0].spec": { storage: { volumeClaimTemplate: { spec: large } } },
        },
        "spec.storage.volumeClaimTemplate.spec.resources.requests.storage is above storage.largest",
      ],
      "a folder of a node": [
        { "[0].kind": "PersistentVolume", "[0].spec": { hostPath: { path: "/" } } },
        "spec.hostPath is storage of a node",
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
    config: { network: { peers: ["kube-system", "monitoring", "traefik", "shared"] } },
    passes: {
      "a namespace of the platform": { [`${CONTAINER}.env[0].value`]: "http://a.kube-system.svc" },
      "a stack without a Namespace, in one of its configuration": {
        ...elsewhere,
        "[1]": undefined,
        "[2].subjects[0].namespace": "shared",
      },
      "a class": { [`${CONTAINER}.env[0].value`]: "sklearn.svm.SVC" },
      "the API server": { [`${CONTAINER}.env[0].value`]: "https://kubernetes.default.svc" },
      "the metrics of Prometheus and the pods of an ingress controller": {
        "[3].spec.ingress[0].from": ["monitoring", "traefik"].map((name) => ({
          namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: name } },
        })),
      },
      "cluster-scoped objects": {
        "[5]": { ...role, kind: "ClusterRole", metadata: { name: "readers" } },
        "[6]": { ...binding, kind: "ClusterRoleBinding", metadata: { name: "readers" } },
      },
      "a key of a map": {
        "[5]": { ...configMap, data: { namespace: "serving" } },
        "[0].spec.selector.matchLabels.namespace": "serving",
      },
    },
    fails: {
      "an object in a namespace of the platform": [
        { "[0].metadata.namespace": "shared" },
        "metadata.namespace refers to a namespace of another stack",
      ],
      "a stack without namespaces": [
        { "[1]": undefined },
        ...Array(4).fill("metadata.namespace refers to a namespace of another stack"),
      ],
      "peers in a list": [
        {
          "[3].spec.ingress[0].from[0].namespaceSelector": {
            matchExpressions: [{ key: NAMESPACE_NAME, operator: "In", values: ["team", "other"] }],
          },
        },
        "spec.ingress[0].from[0].namespaceSelector refers to a namespace of another stack",
      ],
      "pods in an affinity": [
        {
          [`${POD}.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution`]: [
            { namespaces: ["other"] },
          ],
        },
        `${pod}.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespaces refers to a namespace of another stack`,
      ],
      "allowed namespaces of routes": [
        {
          "[5]": {
            ...configMap,
            kind: "ReferenceGrant",
            spec: { from: [{ kind: "HTTPRoute", namespace: "other" }] },
          },
        },
        "spec.from[0].namespace refers to a namespace of another stack",
      ],
      "data to copy": [
        { "[5]": claim, "[5].spec.dataSourceRef": { name: "data", namespace: "other" } },
        "spec.dataSourceRef.namespace refers to a namespace of another stack",
      ],
      "a Service, in a command": [
        { [`${CONTAINER}.command`]: ["sh", "-c", "curl (db.other.svc)"] },
        `${container}.command[2] refers to a namespace of another stack`,
      ],
      "a Service, in a file": [
        { "[5]": { ...configMap, data: { "app.yaml": "url: http://db.other.svc:80\n" } } },
        "data.app.yaml refers to a namespace of another stack",
      ],
      "an object": [
        { "[0].metadata.namespace": "other" },
        "metadata.namespace refers to a namespace of another stack",
      ],
      "a subject": [
        { "[2].subjects[0].namespace": "other" },
        "subjects[0].namespace refers to a namespace of another stack",
      ],
      "a peer": [
        {
          "[3].spec.ingress[0].from[0].namespaceSelector.matchLabels[kubernetes.io/metadata.name]":
            "other",
        },
        "spec.ingress[0].from[0].namespaceSelector refers to a namespace of another stack",
      ],
      "a Gateway": [
        { "[4].spec.parentRefs[0].namespace": "other" },
        "spec.parentRefs[0].namespace refers to a namespace of another stack",
      ],
      "a Service behind a route": [
        { "[4].spec.rules[0].backendRefs[0].namespace": "other" },
        "spec.rules[0].backendRefs[0].namespace refers to a namespace of another stack",
      ],
      "a Service": [
        { [`${CONTAINER}.env[0].value`]: "http://mlflow.other.svc.cluster.local:5000" },
        `${container}.env[0].value refers to a namespace of another stack`,
      ],
      "a Service, in an argument": [
        { [`${CONTAINER}.args[0]`]: "--tracking=mlflow.other.svc" },
        `${container}.args[0] refers to a namespace of another stack`,
      ],
    },
  },
  "unused-config-map": {
    good: [{ ...deployment, metadata: settings.metadata }],
    passes: { mounted: { ...mounted, "[1]": settings } },
    fails: { unused: [{ "[1]": settings }, "no object of this stack uses it"] },
  },
};
