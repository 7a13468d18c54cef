import type { IngressConfig } from "./schema";

/** Where something is served outside of the cluster. */
export interface Address {
  /** `model.team.domain` */
  readonly host: string;
  /** `http://model.team.domain:port` */
  readonly url: string;
}

/** The address of what an Ingress or a route serves under these names, from the left to the domain. */
export function addressOf({ issuer, domain, port }: IngressConfig, ...names: string[]): Address {
  const host = [...names, domain].join(".");
  return { host, url: `${issuer ? "https" : "http"}://${host}${port ? `:${port}` : ""}` };
}
