import type { IngressConfig } from "./schema";

/** An address outside of the cluster. */
export interface Address {
  /** `model.team.domain` */
  readonly host: string;
  /** `http://model.team.domain:port` */
  readonly url: string;
}

/** The address that an Ingress or a route serves: its host name consists of these names and the domain. */
export function addressOf({ issuer, domain, port }: IngressConfig, ...names: string[]): Address {
  const host = [...names, domain].join(".");
  return { host, url: `${issuer ? "https" : "http"}://${host}${port ? `:${port}` : ""}` };
}
