import type * as pulumi from "@pulumi/pulumi";
import { PART_OF } from "./labels";

/** The group and version of the Gateway API's kinds. */
const GROUP = "gateway.networking.k8s.io";
export const GATEWAY_API = `${GROUP}/v1`;

/** Annotations that make an update wait until the proxies serve a Gateway, or a Gateway accepts a route. */
export const GATEWAY_READY = { "pulumi.com/waitFor": "condition=Programmed" };
export const ROUTE_READY = {
  "pulumi.com/waitFor":
    'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True',
};

/**
 * A Gateway's spec: HTTP for every host of a domain, with routes from the namespaces of this project only.
 * @param port of the listener
 */
export function gatewaySpec(className: string, domain: string, port: number) {
  return {
    gatewayClassName: className,
    listeners: [
      {
        name: "http",
        protocol: "HTTP",
        port,
        hostname: `*.${domain}`,
        allowedRoutes: { namespaces: { from: "Selector", selector: { matchLabels: PART_OF } } },
      },
    ],
  };
}

/** Ports and class of a Gateway with TLS. */
export interface TlsListeners {
  readonly className: string;
  /** Port of HTTP. */
  readonly port: number;
  readonly httpsPort: number;
}

/**
 * A Gateway's spec: one host, over HTTP and over HTTPS, with routes from its own namespace only.
 * @param secret with the host's certificate, which cert-manager creates
 */
export function tlsGatewaySpec(
  { className, port, httpsPort }: TlsListeners,
  host: pulumi.Input<string>,
  secret: string,
) {
  const shared = { hostname: host, allowedRoutes: { namespaces: { from: "Same" } } };
  return {
    gatewayClassName: className,
    listeners: [
      { name: "http", protocol: "HTTP", port, ...shared },
      {
        name: "https",
        protocol: "HTTPS",
        port: httpsPort,
        ...shared,
        tls: { mode: "Terminate", certificateRefs: [{ group: "", kind: "Secret", name: secret }] },
      },
    ],
  };
}

/** An HTTPRoute's spec that redirects a host to HTTPS. @param port of HTTPS in URLs. Default: 443 */
export function redirectSpec(
  gateway: GatewayName,
  host: pulumi.Input<string>,
  port: number | undefined,
) {
  const requestRedirect = { scheme: "https", statusCode: 301, ...(port && { port }) };
  return {
    parentRefs: [parentRef(gateway)],
    hostnames: [host],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/" } }],
        filters: [{ type: "RequestRedirect", requestRedirect }],
      },
    ],
  };
}

function parentRef({ name, namespace, sectionName }: GatewayName) {
  return { group: GROUP, kind: "Gateway", name, namespace, ...(sectionName && { sectionName }) };
}

/** The Gateway that a route attaches to, and its listener. Default: all listeners that match the host. */
export interface GatewayName {
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly sectionName?: string | undefined;
}

/** A Service that gets a share of a host's requests. */
export interface Backend {
  readonly service: string;
  /** Relative to the other backends'. */
  readonly weight: number;
  /** Requests with this header go there, regardless of the weights. */
  readonly header?: { name: string; value: string } | undefined;
}

/** An HTTPRoute's reference to a Service's port 80. */
function backendRef(service: string, weight: number) {
  return { group: "", kind: "Service", name: service, port: 80, weight };
}

/**
 * An HTTPRoute's spec: the requests of a host, split by weight, except those with the header of a backend. It sets the API
 * server's default values too, so that a refresh shows no change.
 * @param paths path prefixes that are served
 */
export function splitSpec(
  gateway: GatewayName,
  host: pulumi.Input<string>,
  paths: readonly string[],
  backends: readonly Backend[],
) {
  const below = paths.map((value) => ({ path: { type: "PathPrefix", value } }));
  const pinned = backends.flatMap(({ service, header }) => {
    if (!header) {
      return [];
    }
    const headers = [{ type: "Exact", ...header }];
    const matches = below.map((match) => ({ ...match, headers }));
    return [{ matches, backendRefs: [backendRef(service, 1)] }];
  });
  return {
    parentRefs: [parentRef(gateway)],
    hostnames: [host],
    rules: [
      ...pinned,
      {
        matches: below,
        backendRefs: backends.map(({ service, weight }) => backendRef(service, weight)),
      },
    ],
  };
}
