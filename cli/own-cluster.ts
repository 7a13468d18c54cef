import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { ROOT } from "./stack";

/** A cluster of the user's own, as the options of `npm start` describe it. */
export interface OwnCluster {
  context?: string;
  registry?: string;
  ingressClass?: string;
  ingressNamespace?: string;
  domain?: string;
  storageClass?: string;
}

/** A context's name as a stack's: Pulumi allows letters, digits, dashes, underscores and dots. */
export function contextStackName(context: string): string {
  return context.replace(/[^\w.-]+/g, "-");
}

/**
 * The stack file for a cluster of one's own: the dev stack's, without what belongs to the local cluster.
 * @throws Error when there is no registry, as the cluster's nodes could not get the images
 */
export function ownClusterStack(cluster: OwnCluster): string {
  const { context, registry, ingressClass, ingressNamespace, domain, storageClass } = cluster;
  if (!registry) {
    throw new Error(
      "--registry is missing: images are built here and pulled by the cluster; name a registry that both reach, such as --registry ghcr.io/acme",
    );
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
  });
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
