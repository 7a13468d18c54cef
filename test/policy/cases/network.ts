import { gateway, httpRoute, ingress, namespace, networkPolicy, room, service } from "../objects";
import type { RuleCases } from "./case";

const ENFORCE = "[0].metadata.labels[pod-security.kubernetes.io/enforce]";
const VERSION = "[0].metadata.labels[pod-security.kubernetes.io/enforce-version]";

/** Rules about namespaces and the network. */
export const NETWORK_CASES: Readonly<Record<string, RuleCases>> = {
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
    good: room,
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
      "of pods of one priority": [
        {
          "[1].spec.scopeSelector.matchExpressions": [
            { scopeName: "PriorityClass", operator: "In", values: ["rare"] },
          ],
        },
        "the namespace has no quota of CPU and memory",
      ],
      "of pods that end": [
        { "[1].spec.scopes": ["Terminating"] },
        "the namespace has no quota of CPU and memory",
      ],
    },
  },
  "namespace-counts": {
    good: room,
    passes: { counted: { "[1].spec.hard": { "count/jobs.batch": "10" } } },
    fails: {
      none: [{ "[1].spec.hard.services": undefined }, "the namespace has no quota of objects"],
    },
  },
  "namespace-limit-range": {
    good: room,
    passes: {
      "in two entries": {
        "[2].spec.limits": [
          { type: "Container", default: { cpu: "1" } },
          { type: "Container", default: { memory: "1Gi" } },
        ],
      },
      "by the most that is allowed": {
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
    good: room,
    passes: { "by default": { "[3].spec.policyTypes": null } },
    fails: {
      none: [
        { "[3]": undefined },
        "the namespace has no NetworkPolicy that closes its pods to callers",
      ],
      "for some pods": [
        { "[3].spec.podSelector": { matchLabels: { app: "a" } } },
        "the namespace has no NetworkPolicy that closes its pods to callers",
      ],
      "that allows all": [
        { "[3].spec.ingress": [{}] },
        "the namespace has no NetworkPolicy that closes its pods to callers",
      ],
    },
  },
  "default-deny-egress": {
    good: room,
    fails: {
      "for callers only": [
        { "[3].spec.policyTypes": ["Ingress"] },
        "the namespace has no NetworkPolicy that keeps its pods from calling out",
      ],
      "with nothing to allow, which no default calls egress": [
        { "[3].spec.policyTypes": undefined, "[3].spec.egress": [] },
        "the namespace has no NetworkPolicy that keeps its pods from calling out",
      ],
      "for look-ups at all ports": [
        { "[3].spec.egress[0].ports[0].endPort": 65535 },
        "the namespace has no NetworkPolicy that keeps its pods from calling out",
      ],
      "that allows all": [
        { "[3].spec.egress": [{}] },
        "the namespace has no NetworkPolicy that keeps its pods from calling out",
      ],
    },
  },
  "open-ingress": {
    good: [networkPolicy],
    passes: {
      "an address range": { "[0].spec.ingress[0].from": [{ ipBlock: { cidr: "10.0.0.0/8" } }] },
      "namespaces with a label": {
        "[0].spec.ingress[0].from": [
          { namespaceSelector: { matchExpressions: [{ key: "team", operator: "Exists" }] } },
        ],
      },
      "some pods of all namespaces": {
        "[0].spec.ingress[0].from": [
          { namespaceSelector: {}, podSelector: { matchLabels: { app: "prometheus" } } },
        ],
      },
    },
    fails: {
      "no from": [{ "[0].spec.ingress[0].from": null }, "spec.ingress[0] lets everybody in"],
      "all namespaces": [
        { "[0].spec.ingress[0].from[1]": { namespaceSelector: {} } },
        "spec.ingress[0] lets everybody in",
      ],
      "all addresses": [
        { "[0].spec.ingress[0].from[1]": { ipBlock: { cidr: "0.0.0.0/0" } } },
        "spec.ingress[0] lets everybody in",
      ],
      "all addresses but one": [
        { "[0].spec.ingress[0].from[1]": { ipBlock: { cidr: "::/0", except: ["fc00::1/128"] } } },
        "spec.ingress[0] lets everybody in",
      ],
      "all addresses, written in another way": [
        { "[0].spec.ingress[0].from[1]": { ipBlock: { cidr: "10.0.0.0/0" } } },
        "spec.ingress[0] lets everybody in",
      ],
      "half of all addresses": [
        { "[0].spec.ingress[0].from[1]": { ipBlock: { cidr: "128.0.0.0/1" } } },
        "spec.ingress[0] lets everybody in",
      ],
      "all namespaces that have a name": [
        {
          "[0].spec.ingress[0].from[1]": {
            namespaceSelector: {
              matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "Exists" }],
            },
          },
        },
        "spec.ingress[0] lets everybody in",
      ],
      "all namespaces but one": [
        {
          "[0].spec.ingress[0].from[1]": {
            namespaceSelector: {
              matchExpressions: [{ key: "team", operator: "NotIn", values: ["other"] }],
            },
          },
        },
        "spec.ingress[0] lets everybody in",
      ],
    },
  },
  "open-egress": {
    good: [networkPolicy],
    passes: {
      DNS: { "[0].spec.egress[1]": { ports: [{ protocol: "UDP", port: 53 }] } },
      "all addresses but some": {
        "[0].spec.egress[1].to": [{ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } }],
      },
    },
    fails: {
      "no to": [
        { "[0].spec.egress[1]": { ports: [{ port: 443 }] } },
        "spec.egress[1] lets pods call everybody",
      ],
    },
  },
  "service-exposure": {
    good: [service],
    config: { network: { serviceTypes: ["NodePort"] } },
    passes: { "a type that the stack allows": { "[0].spec.type": "NodePort" } },
    fails: {
      LoadBalancer: [{ "[0].spec.type": "LoadBalancer" }, "spec.type exposes the Service"],
      ExternalName: [{ "[0].spec.type": "ExternalName" }, "spec.type exposes the Service"],
      "addresses of others": [{ "[0].spec.externalIPs": ["192.0.2.1"] }, "spec.externalIPs is set"],
    },
  },
  "gateway-tls": {
    good: [gateway],
    fails: {
      plain: [
        { "[0].spec.listeners[0].protocol": "HTTP" },
        "spec.listeners[0].protocol is not encrypted",
      ],
    },
  },
  "ingress-host": {
    good: [ingress, httpRoute],
    fails: {
      "a route without": [{ "[1].spec.hostnames": undefined }, "spec.hostnames is empty"],
      "a route's wildcard": [
        { "[1].spec.hostnames[0]": "*.example.com" },
        "spec.hostnames[0] is not a host of its own",
      ],
      none: [
        { "[0].spec.rules[0].host": undefined },
        "spec.rules[0].host is not a host of its own",
      ],
      wildcard: [
        { "[0].spec.rules[0].host": "*.example.com" },
        "spec.rules[0].host is not a host of its own",
      ],
      "every host": [
        { "[0].spec.defaultBackend": { service: { name: "app" } } },
        "spec.defaultBackend takes the requests of every host",
      ],
    },
  },
  "ingress-tls": {
    good: [ingress],
    fails: {
      none: [{ "[0].spec.tls": null }, "spec.rules[0].host is not among the hosts of spec.tls"],
      "for another host": [
        { "[0].spec.tls[0].hosts": ["www.example.com"] },
        "spec.rules[0].host is not among the hosts of spec.tls",
      ],
    },
  },
};
