import { PART_OF } from "./labels";

/** The group and version of the Gateway API's kinds; a route names both, as the API server would write them. */
const GROUP = "gateway.networking.k8s.io";
export const GATEWAY_API = `${GROUP}/v1`;

/** Annotations that have an update wait until a Gateway's proxies, or a route's Gateway, have taken what it says. */
export const GATEWAY_READY = { "pulumi.com/waitFor": "condition=Programmed" };
export const ROUTE_READY = {
  "pulumi.com/waitFor":
    'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True',
};

/**
 * A Gateway's spec: plain HTTP for every host below a domain, with routes from the namespaces of this project alone.
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

/** The Gateway that a route attaches to, and its listener, where not all that fit the host. */
export interface GatewayName {
  name: string;
  namespace: string;
  sectionName?: string | undefined;
}

/** A Service that gets a share of a host's requests. */
export interface Backend {
  service: string;
  /** Relative to the other backends'. */
  weight: number;
  /** Requests with this header go there, whatever the weights. */
  header?: { name: string; value: string } | undefined;
}

/** An HTTPRoute's reference to a Service's port 80. */
function backendRef(service: string, weight: number) {
  return { group: "", kind: "Service", name: service, port: 80, weight };
}

/**
 * An HTTPRoute's spec: a host's requests, split by weight, those with a backend's header first. All that the API server
 * would fill in is written, so that a refresh finds nothing changed.
 * @param paths what of the host is served, each with all below it
 */
export function splitSpec(
  { name, namespace, sectionName }: GatewayName,
  host: string,
  paths: readonly string[],
  backends: readonly Backend[],
) {
  const below = paths.map((value) => ({ path: { type: "PathPrefix", value } }));
  const pinned = backends.flatMap(({ service, header }) => {
    if (!header) return [];
    const headers = [{ type: "Exact", ...header }];
    const matches = below.map((match) => ({ ...match, headers }));
    return [{ matches, backendRefs: [backendRef(service, 1)] }];
  });
  return {
    parentRefs: [
      { group: GROUP, kind: "Gateway", name, namespace, ...(sectionName && { sectionName }) },
    ],
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
