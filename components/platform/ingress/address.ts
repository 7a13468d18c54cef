import type { IngressConfig } from "./schema";

/** An address outside of the cluster. */
export interface Address {
  /** `model.team.domain` */
  readonly host: string;
  /** `http://model.team.domain:port` */
  readonly url: string;
  /** The same without TLS, if HTTP is served as well as HTTPS. */
  readonly httpUrl?: string;
}

/** The address that an Ingress or a route serves: its host name consists of these names and the domain. */
export function addressOf(ingress: IngressConfig, ...names: string[]): Address {
  const { issuer, domain, port, redirect, httpPort } = ingress;
  const host = [...names, domain].join(".");
  const at = (scheme: string, number: number | undefined) =>
    `${scheme}://${host}${number ? `:${number}` : ""}`;
  return issuer
    ? {
        host,
        url: at("https", port),
        ...(redirect === false && { httpUrl: at("http", httpPort) }),
      }
    : { host, url: at("http", port) };
}
