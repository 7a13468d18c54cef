import type { KubernetesObject } from "../model/resource";
import { isRecord } from "../model/shape";
import { list, NAMESPACE_NAME, nameOf, namespaceOf, recordAt, type Stack } from "../model/stack";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const POLICIES = "https://kubernetes.io/docs/concepts/services-networking/network-policies/";
const EXPOSURE = "https://kubernetes.io/docs/concepts/services-networking/service/";
const INGRESS = "https://kubernetes.io/docs/concepts/services-networking/ingress/";

/** Routes of the Gateway API with host names. */
const ROUTE_WITH_HOSTS = /^(HTTP|GRPC|TLS)Route$/;
const ENCRYPTED: ReadonlySet<unknown> = new Set(["HTTPS", "TLS"]);

/** Violations for hosts that are empty or have wildcards. */
function invalidHosts(path: string, hosts: readonly unknown[], key = ""): string[] {
  return hosts.flatMap((host, index) =>
    `${host}` === "" || `${host}`.includes("*")
      ? [`${path}[${index}]${key} is not a host name without *`]
      : [],
  );
}

/** Violations for listeners of a Gateway that serve requests without encryption. */
function plainListeners(gateway: KubernetesObject, stack: Stack): string[] {
  return list(recordAt(gateway.value, "spec").listeners).flatMap((listener, index) => {
    const { name, protocol } = recordAt({ listener }, "listener");
    return ENCRYPTED.has(protocol) || (protocol === "HTTP" && onlyRedirects(gateway, name, stack))
      ? []
      : `spec.listeners[${index}].protocol is not encrypted`;
  });
}

/** Whether the stack attaches routes to a listener, and each of them only redirects to HTTPS. */
function onlyRedirects(gateway: KubernetesObject, listener: unknown, stack: Stack): boolean {
  const routes = [...stack.of("HTTPRoute"), ...stack.of("GRPCRoute")].filter((route) =>
    list(recordAt(route.value, "spec").parentRefs).some((parent) => {
      const { name, namespace = namespaceOf(route), sectionName } = recordAt({ parent }, "parent");
      return (
        name === nameOf(gateway) &&
        namespace === namespaceOf(gateway) &&
        (sectionName === undefined || sectionName === listener)
      );
    }),
  );
  return routes.length > 0 && routes.every(redirectsToHttps);
}

/** Whether each rule of a route answers every request with a redirect to HTTPS. */
function redirectsToHttps({ value }: KubernetesObject): boolean {
  const rules = list(recordAt(value, "spec").rules);
  return (
    rules.length > 0 &&
    rules.every((rule) =>
      list(recordAt({ rule }, "rule").filters).some(
        (filter) => recordAt({ filter }, "filter", "requestRedirect").scheme === "https",
      ),
    )
  );
}

type Direction = "ingress" | "egress";

/** The widest range of private addresses is `fc00::/7`: a wider one is unrestricted. */
const WIDEST_PREFIX = 7;

/** Whether a peer of a network policy covers the whole cluster, or all addresses outside of it. */
function isUnrestricted(peer: unknown, direction: Direction): boolean {
  const { ipBlock, namespaceSelector, podSelector } = recordAt({ peer }, "peer");
  if (isRecord(ipBlock)) {
    const prefix = Number(`${ipBlock.cidr}`.split("/")[1]);
    // For egress, `except` is a restriction; for ingress, all addresses except some are unrestricted.
    const isNarrowed = direction === "egress" && list(ipBlock.except).length > 0;
    return prefix < WIDEST_PREFIX && !isNarrowed;
  }
  return selectsAll(namespaceSelector) && (!isRecord(podSelector) || selectsAll(podSelector));
}

/** Whether a label selector matches everything, or everything without a label. */
function selectsAll(selector: unknown): boolean {
  return (
    isRecord(selector) &&
    Object.keys(recordAt(selector, "matchLabels")).length === 0 &&
    !list(selector.matchExpressions).some(narrows)
  );
}

/** Whether an expression of a selector restricts it: every namespace has the label with its name. */
function narrows(expression: unknown): boolean {
  const { key, operator } = recordAt({ expression }, "expression");
  return operator === "In" || (operator === "Exists" && key !== NAMESPACE_NAME);
}

/** Whether a rule of a network policy allows only DNS. */
function isDnsOnly(ports: readonly unknown[]): boolean {
  return (
    ports.length > 0 &&
    ports.every((entry) => {
      const { port, endPort } = recordAt({ entry }, "entry");
      return port === 53 && (endPort ?? 53) === 53;
    })
  );
}

function open(policy: KubernetesObject, direction: Direction, peers: "from" | "to"): string[] {
  return list(recordAt(policy.value, "spec")[direction]).flatMap((rule, index) => {
    const named = list(recordAt({ rule }, "rule")[peers]);
    if (direction === "egress" && isDnsOnly(list(recordAt({ rule }, "rule").ports))) {
      return [];
    }
    return named.length === 0 || named.some((peer) => isUnrestricted(peer, direction))
      ? [`spec.${direction}[${index}]`]
      : [];
  });
}

/** Paths in a NetworkPolicy that allow ingress from everywhere. */
export function allowsAllIngress(policy: KubernetesObject): string[] {
  return open(policy, "ingress", "from");
}

/** Paths in a NetworkPolicy that allow egress to everywhere, except for DNS. */
export function allowsAllEgress(policy: KubernetesObject): string[] {
  return open(policy, "egress", "to");
}

/** Rules for network policies, Services, Ingresses and Gateways. */
export const NETWORK_RULES: readonly Rule[] = [
  {
    ...base,
    name: "open-ingress",
    description: "A network policy names the allowed clients.",
    remedy: "Name the namespaces and pods in from.",
    url: POLICIES,
    object: (object) =>
      object.kind === "NetworkPolicy"
        ? allowsAllIngress(object).map((place) => `${place} allows ingress from everywhere`)
        : undefined,
  },
  {
    ...base,
    name: "open-egress",
    level: "advisory",
    description: "A network policy names the allowed destinations of pods.",
    remedy: "Name the namespaces and pods, or the addresses outside of the cluster, in to.",
    url: POLICIES,
    object: (object) =>
      object.kind === "NetworkPolicy"
        ? allowsAllEgress(object).map((place) => `${place} allows egress to everywhere`)
        : undefined,
  },
  {
    ...base,
    name: "service-exposure",
    description: "External traffic enters only through the ingress controller.",
    remedy:
      "Use type ClusterIP and an Ingress, or allow the type in network.serviceTypes of the policy configuration.",
    url: EXPOSURE,
    object: ({ kind, value }, config) => {
      const { externalIPs, type } = recordAt(value, "spec");
      const allowed: readonly unknown[] = [undefined, "ClusterIP", ...config.network.serviceTypes];
      return kind === "Service"
        ? [
            ...(allowed.includes(type ?? undefined) ? [] : ["spec.type exposes the Service"]),
            ...(list(externalIPs).length === 0 ? [] : ["spec.externalIPs is set"]),
          ]
        : undefined;
    },
  },
  {
    ...base,
    name: "ingress-host",
    description: "An Ingress or route has host names, and takes no requests for other hosts.",
    remedy: "Give every rule or route a host without *, and remove defaultBackend.",
    url: INGRESS,
    object: ({ kind, value }) => {
      const { defaultBackend, rules, hostnames } = recordAt(value, "spec");
      if (ROUTE_WITH_HOSTS.test(kind)) {
        const all = list(hostnames);
        return [
          ...(all.length === 0 ? ["spec.hostnames is empty"] : []),
          ...invalidHosts("spec.hostnames", all),
        ];
      }
      const hosts = list(rules).map((rule) => recordAt({ rule }, "rule").host ?? "");
      return kind === "Ingress"
        ? [
            ...(defaultBackend ? ["spec.defaultBackend takes the requests for all hosts"] : []),
            ...invalidHosts("spec.rules", hosts, ".host"),
          ]
        : undefined;
    },
  },
  {
    ...base,
    name: "ingress-tls",
    description: "External traffic is encrypted.",
    remedy:
      "Set spec.tls for its hosts, or network.requireTls of the policy configuration to false.",
    url: `${INGRESS}#tls`,
    object: ({ kind, value }, config) => {
      const { rules, tls } = recordAt(value, "spec");
      const covered = list(tls).flatMap((entry) => list(recordAt({ entry }, "entry").hosts));
      return kind === "Ingress" && config.network.requireTls
        ? list(rules).flatMap((rule, index) =>
            covered.includes(recordAt({ rule }, "rule").host)
              ? []
              : `spec.rules[${index}].host is not among the hosts of spec.tls`,
          )
        : undefined;
    },
  },
  {
    ...base,
    name: "gateway-tls",
    description:
      "Traffic through a Gateway is encrypted; a listener without encryption only redirects to HTTPS.",
    remedy:
      "Give every listener the protocol HTTPS or TLS, or attach a route to it that redirects to HTTPS and no other, or set network.requireTls of the policy configuration to false.",
    url: "https://gateway-api.sigs.k8s.io/guides/tls/",
    inStack: (object, stack, config) =>
      object.kind === "Gateway" && config.network.requireTls
        ? plainListeners(object, stack)
        : undefined,
  },
];
