import { gateway, httpRoute, ingress, networkPolicy, service } from "../objects";
import type { RuleCases } from "./case";

/** A Gateway that serves HTTPS, and the route that its HTTP listener redirects with. */
const redirected = {
  ...gateway,
  spec: {
    gatewayClassName: "traefik",
    listeners: [
      { name: "https", protocol: "HTTPS", port: 443, hostname: "*.example.com" },
      { name: "http", protocol: "HTTP", port: 80, hostname: "*.example.com" },
    ],
  },
};
const redirect = {
  ...httpRoute,
  spec: {
    parentRefs: [{ ...gateway.metadata, sectionName: "http" }],
    hostnames: ["app.example.com"],
    rules: [{ filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https" } }] }],
  },
};

/** Rules for network access. */
export const NETWORK_CASES: Readonly<Record<string, RuleCases>> = {
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
      "no from": [
        { "[0].spec.ingress[0].from": null },
        "spec.ingress[0] allows ingress from everywhere",
      ],
      "all namespaces": [
        { "[0].spec.ingress[0].from[1]": { namespaceSelector: {} } },
        "spec.ingress[0] allows ingress from everywhere",
      ],
      "all addresses": [
        { "[0].spec.ingress[0].from[1]": { ipBlock: { cidr: "0.0.0.0/0" } } },
        "spec.ingress[0] allows ingress from everywhere",
      ],
      "all addresses but one": [
        { "[0].spec.ingress[0].from[1]": { ipBlock: { cidr: "::/0", except: ["fc00::1/128"] } } },
        "spec.ingress[0] allows ingress from everywhere",
      ],
      "all addresses in another notation": [
        { "[0].spec.ingress[0].from[1]": { ipBlock: { cidr: "10.0.0.0/0" } } },
        "spec.ingress[0] allows ingress from everywhere",
      ],
      "half of all addresses": [
        { "[0].spec.ingress[0].from[1]": { ipBlock: { cidr: "128.0.0.0/1" } } },
        "spec.ingress[0] allows ingress from everywhere",
      ],
      "all namespaces with the label of their name": [
        {
          "[0].spec.ingress[0].from[1]": {
            namespaceSelector: {
              matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "Exists" }],
            },
          },
        },
        "spec.ingress[0] allows ingress from everywhere",
      ],
      "all namespaces but one": [
        {
          "[0].spec.ingress[0].from[1]": {
            namespaceSelector: {
              matchExpressions: [{ key: "team", operator: "NotIn", values: ["other"] }],
            },
          },
        },
        "spec.ingress[0] allows ingress from everywhere",
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
        "spec.egress[1] allows egress to everywhere",
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
      "external IP addresses": [
        { "[0].spec.externalIPs": ["192.0.2.1"] },
        "spec.externalIPs is set",
      ],
    },
  },
  "gateway-tls": {
    good: [redirected, redirect],
    passes: {
      "no listener without encryption": { "[0].spec.listeners[1].protocol": "HTTPS" },
      "a redirect in the Gateway's namespace by default": {
        "[1].spec.parentRefs[0].namespace": undefined,
      },
    },
    fails: {
      "a listener without a route": [
        { "[1].spec.parentRefs[0].sectionName": "https" },
        "spec.listeners[1].protocol is not encrypted",
      ],
      "a route of another Gateway": [
        { "[1].spec.parentRefs[0].name": "other" },
        "spec.listeners[1].protocol is not encrypted",
      ],
      "a route of another namespace": [
        { "[1].spec.parentRefs[0].namespace": "other" },
        "spec.listeners[1].protocol is not encrypted",
      ],
      "a route that redirects to another scheme": [
        { "[1].spec.rules[0].filters[0].requestRedirect.scheme": "http" },
        "spec.listeners[1].protocol is not encrypted",
      ],
      "a route with a rule that does not redirect": [
        { "[1].spec.rules[1]": { backendRefs: [{ name: "app", port: 80 }] } },
        "spec.listeners[1].protocol is not encrypted",
      ],
      "a TCP listener": [
        { "[0].spec.listeners[1].protocol": "TCP" },
        "spec.listeners[1].protocol is not encrypted",
      ],
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
        "spec.hostnames[0] is not a host name without *",
      ],
      none: [
        { "[0].spec.rules[0].host": undefined },
        "spec.rules[0].host is not a host name without *",
      ],
      wildcard: [
        { "[0].spec.rules[0].host": "*.example.com" },
        "spec.rules[0].host is not a host name without *",
      ],
      "every host": [
        { "[0].spec.defaultBackend": { service: { name: "app" } } },
        "spec.defaultBackend takes the requests for all hosts",
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
