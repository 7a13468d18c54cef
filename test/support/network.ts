import type { Inputs, Registration } from "./mocks";
import { objects, selects } from "./objects";

/** Source or destination of a connection: a pod or, without a namespace, another host that no selector matches. */
export interface Peer {
  readonly namespace: string;
  readonly labels: Record<string, string>;
}

/** A port of a pod: its number, and its name in the pod. */
export interface Port {
  readonly number: number;
  readonly name?: string;
}

/**
 * Whether network policies allow a TCP connection from one pod to another. As in Kubernetes, a direction is not restricted
 * unless a policy selects the pod for it; then only connections that a policy allows are possible.
 */
export function connects(
  registrations: readonly Registration[],
  from: Peer,
  to: Peer,
  port: Port,
): boolean {
  const policies = objects(registrations, "NetworkPolicy").map(({ inputs }) => inputs);
  return allows(policies, "Egress", from, to, port) && allows(policies, "Ingress", to, from, port);
}

function allows(
  policies: Inputs[],
  direction: "Ingress" | "Egress",
  pod: Peer,
  other: Peer,
  port: Port,
): boolean {
  const applying = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace &&
      spec.policyTypes.includes(direction) &&
      selects(spec.podSelector.matchLabels, pod.labels),
  );
  if (applying.length === 0) {
    return true;
  }
  const [rules, peers] = direction === "Ingress" ? ["ingress", "from"] : ["egress", "to"];
  return applying
    .flatMap(({ spec }) => (spec[rules] as Inputs[] | undefined) ?? [])
    .some(
      (rule) =>
        matchesPort(rule.ports, port) &&
        // A missing or empty list matches all peers.
        (!rule[peers]?.length ||
          rule[peers].some((peer: Inputs) => matchesPeer(peer, pod.namespace, other))),
    );
}

function matchesPort(ports: Inputs[] | undefined, { number, name }: Port): boolean {
  if (!ports?.length) {
    return true;
  }
  return ports.some(
    ({ protocol = "TCP", port }) => protocol === "TCP" && (port === number || port === name),
  );
}

function matchesPeer(
  { namespaceSelector, podSelector }: Inputs,
  ownNamespace: string,
  { namespace, labels }: Peer,
): boolean {
  if (namespace === "") {
    return false;
  }
  const inNamespace = namespaceSelector
    ? selects(namespaceSelector.matchLabels, { "kubernetes.io/metadata.name": namespace })
    : namespace === ownNamespace;
  return inNamespace && selects(podSelector?.matchLabels, labels);
}
