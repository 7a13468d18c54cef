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
/** All objects of the first five in a namespace of the platform. */
const elsewhere = Object.fromEntries(
  [0, 2, 3, 4].map((index) => [`[${index}].metadata.namespace`, "shared"]),
);
const mounted = { [`${CONTAINER}.envFrom`]: [{ configMapRef: { name: "settings" } }] };
const settings = { ...configMap, metadata: { ...configMap.metadata, name: "settings" } };

/** Rules about data, other stacks, and objects in general. */
export const STACK_CASES: Readonly<Record<string, RuleCases>> = {
  "volume-claim": {
    good: [claim],
    config: { storage: { largest: "100Gi", classes: ["fast", ""] } },
    passes: {
      "an allowed class": { "[0].spec.storageClassName": "fast" },
      "the schema of a kind that makes claims": {
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
      "in the template of a set": [
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
      "in a pod's own volume": [
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
        "spec.hostPath is a part of a node",
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
      "a stack without namespaces, in one that its configuration names": {
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
      "what is in the cluster, and in no namespace": {
        "[5]": { ...role, kind: "ClusterRole", metadata: { name: "readers" } },
        "[6]": { ...binding, kind: "ClusterRoleBinding", metadata: { name: "readers" } },
      },
      "a word of a map": {
        "[5]": { ...configMap, data: { namespace: "serving" } },
        "[0].spec.selector.matchLabels.namespace": "serving",
      },
    },
    fails: {
      "an object among those of the platform": [
        { "[0].metadata.namespace": "shared" },
        "metadata.namespace names a namespace of somebody else",
      ],
      "a stack without namespaces": [
        { "[1]": undefined },
        ...Array(4).fill("metadata.namespace names a namespace of somebody else"),
      ],
      "peers in a list": [
        {
          "[3].spec.ingress[0].from[0].namespaceSelector": {
            matchExpressions: [{ key: NAMESPACE_NAME, operator: "In", values: ["team", "other"] }],
          },
        },
        "spec.ingress[0].from[0].namespaceSelector names a namespace of somebody else",
      ],
      "pods to stand beside": [
        {
          [`${POD}.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution`]: [
            { namespaces: ["other"] },
          ],
        },
        `${pod}.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespaces names a namespace of somebody else`,
      ],
      "who may route to it": [
        {
          "[5]": {
            ...configMap,
            kind: "ReferenceGrant",
            spec: { from: [{ kind: "HTTPRoute", namespace: "other" }] },
          },
        },
        "spec.from[0].namespace names a namespace of somebody else",
      ],
      "data to copy": [
        { "[5]": claim, "[5].spec.dataSourceRef": { name: "data", namespace: "other" } },
        "spec.dataSourceRef.namespace names a namespace of somebody else",
      ],
      "a Service, in a command": [
        { [`${CONTAINER}.command`]: ["sh", "-c", "curl (db.other.svc)"] },
        `${container}.command[2] names a namespace of somebody else`,
      ],
      "a Service, in a file": [
        { "[5]": { ...configMap, data: { "app.yaml": "url: http://db.other.svc:80\n" } } },
        "data.app.yaml names a namespace of somebody else",
      ],
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
        "spec.ingress[0].from[0].namespaceSelector names a namespace of somebody else",
      ],
      "a Gateway": [
        { "[4].spec.parentRefs[0].namespace": "other" },
        "spec.parentRefs[0].namespace names a namespace of somebody else",
      ],
      "a Service behind a route": [
        { "[4].spec.rules[0].backendRefs[0].namespace": "other" },
        "spec.rules[0].backendRefs[0].namespace names a namespace of somebody else",
      ],
      "a Service": [
        { [`${CONTAINER}.env[0].value`]: "http://mlflow.other.svc.cluster.local:5000" },
        `${container}.env[0].value names a namespace of somebody else`,
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
