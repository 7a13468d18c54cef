import type { types } from "@pulumi/kubernetes";

type Peer = types.input.networking.v1.NetworkPolicyPeer;
type Spec = types.input.networking.v1.NetworkPolicySpec;

/** The TCP port of an `http` or `https` URL. */
export function portOf({ port, protocol }: URL): number {
  return port ? Number(port) : protocol === "https:" ? 443 : 80;
}

/** All pods of a namespace, by the label that the API server sets on it. */
export function namespace(name: string): Peer {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

/** Pods of the policy's own namespace. */
export function pods(matchLabels: Record<string, string>): Peer {
  return { podSelector: { matchLabels } };
}

/** Pods that cert-manager starts to answer the HTTP-01 challenge of an ACME server. */
const HTTP01_SOLVER = { "acme.cert-manager.io/http01-solver": "true" };
const HTTP01_SOLVER_PORT = 8089;

/** Lets the ingress controller connect to cert-manager's solvers. Otherwise no certificate is ever issued. */
export function allowCertificateSolvers(ingressNamespace: string): Spec {
  return allowIngress(HTTP01_SOLVER, [namespace(ingressNamespace)], HTTP01_SOLVER_PORT);
}

/** Egress to the cluster's DNS. */
const DNS = {
  to: [namespace("kube-system")],
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
};

/** Denies all connections to pods. */
export function denyIngress(): Spec {
  return { podSelector: {}, policyTypes: ["Ingress"] };
}

/** Lets everyone connect to the pods with these labels, at one TCP port: the API server is not a pod, so no selector matches it. */
export function allowEveryone(matchLabels: Record<string, string>, port: number): Spec {
  return {
    podSelector: { matchLabels },
    policyTypes: ["Ingress"],
    ingress: [{ ports: [{ protocol: "TCP", port }] }],
  };
}

/** Denies all connections from and to pods, except to the cluster's DNS. */
export function denyAllButDns(): Spec {
  return { podSelector: {}, policyTypes: ["Ingress", "Egress"], egress: [DNS] };
}

/**
 * Lets `from` connect to the pods with these labels, at one TCP port.
 * @param from peers; an empty list admits nobody. A rule with an empty list would admit every peer
 */
export function allowIngress(
  matchLabels: Record<string, string>,
  from: Peer[],
  port: number,
): Spec {
  return {
    podSelector: { matchLabels },
    policyTypes: ["Ingress"],
    ingress: from.length > 0 ? [{ from, ports: [{ protocol: "TCP", port }] }] : [],
  };
}

/**
 * Lets the pods with these labels connect to `to` at TCP ports, and to the cluster's DNS: a policy for egress denies the pods
 * that it selects all other egress, in a namespace without a default-deny policy too.
 * @param to peers; an empty list allows every host, as a policy cannot have names of hosts outside of the cluster
 */
export function allowEgress(
  matchLabels: Record<string, string>,
  to: Peer[],
  ports: readonly number[],
): Spec {
  return {
    podSelector: { matchLabels },
    policyTypes: ["Egress"],
    egress: [
      {
        ...(to.length > 0 && { to }),
        ports: ports.map((port) => ({ protocol: "TCP", port })),
      },
      DNS,
    ],
  };
}
