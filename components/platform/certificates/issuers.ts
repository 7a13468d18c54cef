import * as pulumi from "@pulumi/pulumi";
import { clusterIssuer } from "../../kubernetes/cert-manager";
import { labels } from "../../kubernetes/labels";
import { keyPairSecret } from "./key-pair-secret";
import type { AcmeConfig, IssuerConfig } from "./schema";
import { certificateAuthority } from "./self-signed";

/** The ClusterIssuer of the platform's own CA. */
export const CA_ISSUER = "ml-platform-ca";
/** The ClusterIssuer of an ACME server. */
const ACME_ISSUER = "ml-platform-acme";

/** The name of the ClusterIssuer that signs the certificates of Ingresses and Gateways. */
export function issuerName(issuer: IssuerConfig): string {
  if (typeof issuer === "string") {
    return issuer;
  }
  return "acme" in issuer ? ACME_ISSUER : CA_ISSUER;
}

/** Whether an issuer may start pods in the namespace of an Ingress, to check its host. The platform's own CA does not. */
export function checksHosts(issuer: string | undefined): boolean {
  return issuer !== undefined && issuer !== CA_ISSUER;
}

export interface IssuersArgs {
  /** Namespace of cert-manager, where it reads the Secrets of ClusterIssuers. */
  readonly namespace: pulumi.Input<string>;
  /** An ACME server, and the Ingress class through which it checks host names. Default: none. */
  readonly acme?: AcmeConfig | undefined;
  readonly className?: string | undefined;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /** Protects the key of the CA from deletion. Default: true. */
  readonly retainData?: boolean;
}

/**
 * The issuers of a platform: a CA of its own, for servers that only the cluster calls, and for Ingresses if there is no other
 * issuer; and an ACME server, if one is given.
 */
export class Issuers extends pulumi.ComponentResource {
  /** Name of the ClusterIssuer of the CA. */
  readonly caIssuer: pulumi.Output<string>;
  /** Certificate of the CA, PEM. */
  readonly certificateAuthority: pulumi.Output<string>;

  constructor(name: string, args: IssuersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:Issuers", name, {}, opts);
    const { namespace, acme, className, owner = "ml-platform", retainData = true } = args;
    const child = { parent: this };
    const own = labels({ name: "issuers", instance: name, component: "tls", owner });
    const { secretName, certificate } = keyPairSecret(
      `${name}-ca`,
      { namespace, labels: own },
      certificateAuthority("ml-platform CA"),
      { ...child, protect: retainData },
    );
    this.certificateAuthority = certificate;
    const issuer = clusterIssuer(
      `${name}-ca-issuer`,
      CA_ISSUER,
      own,
      { ca: { secretName } },
      child,
    );
    this.caIssuer = issuer.metadata.apply((metadata) => metadata.name ?? CA_ISSUER);
    if (acme) {
      clusterIssuer(`${name}-acme-issuer`, ACME_ISSUER, own, acmeSpec(acme, className), child);
    }
    this.registerOutputs({
      caIssuer: this.caIssuer,
      certificateAuthority: this.certificateAuthority,
    });
  }
}

/** The spec of an ACME issuer. Its account key is in a Secret that cert-manager creates. */
export function acmeSpec(
  { server, email, caBundle, dns01 }: AcmeConfig,
  className: string | undefined,
): object {
  // Solvers' Services are of type NodePort by default, which a team's quota does not allow.
  const ingress = { serviceType: "ClusterIP", ...(className && { ingressClassName: className }) };
  return {
    acme: {
      server,
      ...(email && { email }),
      ...(caBundle && { caBundle }),
      privateKeySecretRef: { name: `${ACME_ISSUER}-account` },
      solvers: [dns01 ? { dns01 } : { http01: { ingress } }],
    },
  };
}
