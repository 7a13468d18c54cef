import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { CATALOGUE } from "../components/images";
import { ROOT } from "./stack";

/** A cluster of the user's own, as the options of `npm start` describe it. */
export interface OwnCluster {
  context?: string;
  registry?: string;
  ingressClass?: string;
  ingressNamespace?: string;
  domain?: string;
  issuer?: string;
  storageClass?: string;
}

/** A context's name as a stack's: Pulumi allows letters, digits, dashes, underscores and dots. */
export function contextStackName(context: string): string {
  return context.replace(/[^\w.-]+/g, "-");
}

/** Options without which nothing would be reached, and why. */
const NEEDED = [
  [
    "registry",
    "--registry ghcr.io/acme",
    "images are built here and pulled by the cluster: one that both reach",
  ],
  [
    "domain",
    "--domain ml.example.com",
    "models get host names below it, which must lead to the ingress controller",
  ],
  [
    "ingressNamespace",
    "--ingress-namespace traefik",
    "network policies let the ingress controller's pods in by it",
  ],
] as const;

/**
 * The stack file for a cluster of one's own: the dev stack's, without what belongs to the local cluster.
 * @throws Error naming every option that is missing
 */
export function ownClusterStack(cluster: OwnCluster): string {
  const { context, registry, ingressClass, ingressNamespace, domain, issuer, storageClass } =
    cluster;
  const missing = NEEDED.filter(([option]) => !cluster[option]);
  if (missing.length > 0) {
    const lines = missing.map(([, example, why]) => `  ${example}   (${why})`);
    throw new Error(["With --context, these are needed too:", ...lines].join("\n"));
  }
  const file = parseDocument(readFileSync(join(ROOT, "Pulumi.dev.yaml"), "utf8"));
  const set = (path: string[], value: unknown) => {
    const [block, ...rest] = path;
    const at = ["config", `ml-platform:${block}`, ...rest];
    if (value === undefined) file.deleteIn(at);
    else file.setIn(at, value);
  };
  file.commentBefore = " Written by `npm start -- --context`; yours to change.";
  file.deleteIn(["encryptionsalt"]);
  set(["retainData"], undefined);
  set(["cluster"], { context });
  set(["images"], { registry, lock: "images.lock.json" });
  set(["platform", "ingress"], {
    ...(ingressClass && { className: ingressClass }),
    ...(ingressNamespace && { namespace: ingressNamespace }),
    ...(domain && { domain }),
    ...(issuer && { issuer }),
  });
  // Which GatewayClass the cluster has is not known here.
  set(["platform", "gateway"], undefined);
  if (storageClass) {
    set(["platform", "prometheus", "storageClass"], storageClass);
    set(["team", "tracking", "storageClass"], storageClass);
    set(["team", "data"], { storageClass });
  }
  // Who reaches the Ingress of a shared cluster is not known here, and neither UI asks for a password.
  set(["platform", "prometheus", "expose"], undefined);
  set(["team", "tracking", "expose"], undefined);
  return file.toString();
}

/** What the policy pack has to know of that stack: where its images may come from, and whether it can have TLS. */
export function ownClusterPolicy({ registry, issuer }: OwnCluster): string {
  const upstream = Object.values(CATALOGUE).map((image) => image.split("/")[0]);
  const policy = {
    $schema: "../config/config.schema.json",
    images: { registries: [...new Set([registry, ...upstream])].sort() },
    network: { requireTls: issuer !== undefined },
  };
  return `${JSON.stringify(policy, null, 2)}\n`;
}
