import type { KubernetesObject } from "../model/resource";
import { isRecord } from "../model/shape";
import { list, NAMESPACE_NAME, part } from "../model/stack";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const POLICIES = "https://kubernetes.io/docs/concepts/services-networking/network-policies/";
const EXPOSURE = "https://kubernetes.io/docs/concepts/services-networking/service/";
const INGRESS = "https://kubernetes.io/docs/concepts/services-networking/ingress/";

/** The routes of the Gateway API that have host names. */
const ROUTE_WITH_HOSTS = /^(HTTP|GRPC|TLS)Route$/;
const ENCRYPTED: ReadonlySet<unknown> = new Set(["HTTPS", "TLS"]);

/** Hosts that are none, or many. */
function strangeHosts(path: string, hosts: readonly unknown[], key = ""): string[] {
  return hosts.flatMap((host, index) =>
    `${host}` === "" || `${host}`.includes("*")
      ? [`${path}[${index}]${key} is not a host of its own`]
      : [],
  );
}

type Direction = "ingress" | "egress";

/** The widest range of private addresses is `fc00::/7`: what is wider is everybody, whatever it begins with. */
const WIDEST_PREFIX = 7;

/** Whether one peer of a network policy is everybody in the cluster or outside of it. */
function isEverybody(peer: unknown, direction: Direction): boolean {
  const { ipBlock, namespaceSelector, podSelector } = part({ peer }, "peer");
  if (isRecord(ipBlock)) {
    const prefix = Number(`${ipBlock.cidr}`.split("/")[1]);
    // Calls may go everywhere but to some addresses; who may come from everywhere but some is everybody.
    const isNarrowed = direction === "egress" && list(ipBlock.except).length > 0;
    return prefix < WIDEST_PREFIX && !isNarrowed;
  }
  return choosesAll(namespaceSelector) && (!isRecord(podSelector) || choosesAll(podSelector));
}

/** Whether a label selector leaves nothing out, or only what has a label. */
function choosesAll(selector: unknown): boolean {
  return (
    isRecord(selector) &&
    Object.keys(part(selector, "matchLabels")).length === 0 &&
    !list(selector.matchExpressions).some(narrows)
  );
}

/** Whether a term of a selector asks for something that not all have: every namespace has a name. */
function narrows(expression: unknown): boolean {
  const { key, operator } = part({ expression }, "expression");
  return operator === "In" || (operator === "Exists" && key !== NAMESPACE_NAME);
}

/** Whether a rule of a network policy is for look-ups in DNS alone. */
function isLookUp(ports: readonly unknown[]): boolean {
  return (
    ports.length > 0 &&
    ports.every((entry) => {
      const { port, endPort } = part({ entry }, "entry");
      return port === 53 && (endPort ?? 53) === 53;
    })
  );
}

function open(policy: KubernetesObject, direction: Direction, peers: "from" | "to"): string[] {
  return list(part(policy.value, "spec")[direction]).flatMap((rule, index) => {
    const named = list(part({ rule }, "rule")[peers]);
    if (direction === "egress" && isLookUp(list(part({ rule }, "rule").ports))) {
      return [];
    }
    return named.length === 0 || named.some((peer) => isEverybody(peer, direction))
      ? [`spec.${direction}[${index}]`]
      : [];
  });
}

/** Places in a NetworkPolicy that let everybody connect to the pods that it chooses. */
export function letsEverybodyIn(policy: KubernetesObject): string[] {
  return open(policy, "ingress", "from");
}

/** Places in a NetworkPolicy that let pods connect to everybody; look-ups in DNS are none. */
export function letsEverybodyOut(policy: KubernetesObject): string[] {
  return open(policy, "egress", "to");
}

/** Who can connect to what. */
export const NETWORK_RULES: readonly Rule[] = [
  {
    ...base,
    name: "open-ingress",
    about: "A network policy names who may call.",
    remedy: "Name the namespaces and pods in from.",
    url: POLICIES,
    object: (object) =>
      object.kind === "NetworkPolicy"
        ? letsEverybodyIn(object).map((place) => `${place} lets everybody in`)
        : undefined,
  },
  {
    ...base,
    name: "open-egress",
    level: "advisory",
    about: "A network policy names whom pods may call.",
    remedy: "Name the namespaces and pods, or the addresses outside of the cluster, in to.",
    url: POLICIES,
    object: (object) =>
      object.kind === "NetworkPolicy"
        ? letsEverybodyOut(object).map((place) => `${place} lets pods call everybody`)
        : undefined,
  },
  {
    ...base,
    name: "service-exposure",
    about: "Traffic from outside comes in through the ingress controller alone.",
    remedy:
      "Use type ClusterIP and an Ingress, or allow the type in network.serviceTypes of the policy configuration.",
    url: EXPOSURE,
    object: ({ kind, value }, config) => {
      const { externalIPs, type } = part(value, "spec");
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
    about: "An Ingress or route takes the requests of its own hosts, and of no others.",
    remedy: "Give every rule or route a host without *, and remove defaultBackend.",
    url: INGRESS,
    object: ({ kind, value }) => {
      const { defaultBackend, rules, hostnames } = part(value, "spec");
      if (ROUTE_WITH_HOSTS.test(kind)) {
        const all = list(hostnames);
        return [
          ...(all.length === 0 ? ["spec.hostnames is empty"] : []),
          ...strangeHosts("spec.hostnames", all),
        ];
      }
      const hosts = list(rules).map((rule) => part({ rule }, "rule").host ?? "");
      return kind === "Ingress"
        ? [
            ...(defaultBackend ? ["spec.defaultBackend takes the requests of every host"] : []),
            ...strangeHosts("spec.rules", hosts, ".host"),
          ]
        : undefined;
    },
  },
  {
    ...base,
    name: "ingress-tls",
    about: "What comes from outside is encrypted.",
    remedy:
      "Set spec.tls for its hosts, or network.requireTls of the policy configuration to false.",
    url: `${INGRESS}#tls`,
    object: ({ kind, value }, config) => {
      const { rules, tls } = part(value, "spec");
      const covered = list(tls).flatMap((entry) => list(part({ entry }, "entry").hosts));
      return kind === "Ingress" && config.network.requireTls
        ? list(rules).flatMap((rule, index) =>
            covered.includes(part({ rule }, "rule").host)
              ? []
              : `spec.rules[${index}].host is not among the hosts of spec.tls`,
          )
        : undefined;
    },
  },
  {
    ...base,
    name: "gateway-tls",
    about: "What comes in through a Gateway is encrypted.",
    remedy:
      "Give every listener the protocol HTTPS or TLS, or set network.requireTls of the policy configuration to false.",
    url: "https://gateway-api.sigs.k8s.io/guides/tls/",
    object: ({ kind, value }, config) =>
      kind === "Gateway" && config.network.requireTls
        ? list(part(value, "spec").listeners).flatMap((listener, index) =>
            ENCRYPTED.has(part({ listener }, "listener").protocol)
              ? []
              : `spec.listeners[${index}].protocol is not encrypted`,
          )
        : undefined,
  },
];
