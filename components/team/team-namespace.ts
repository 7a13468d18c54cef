import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { labels, podSecurityLabels } from "../kubernetes/labels";
import { allowCertificateSolvers, denyAllButDns } from "../kubernetes/network";
import type { IngressConfig } from "../platform/schema";
import type { TeamConfig } from "./schema";

export interface TeamNamespaceArgs {
  owner: string;
  config: Pick<TeamConfig, "name" | "quota" | "viewers">;
  ingress: IngressConfig;
  /** Protects the namespace. */
  retainData: boolean;
}

/** A team's room: what it may run and use, who may look in, and no connection that nobody asked for. */
export class TeamNamespace extends pulumi.ComponentResource {
  constructor(name: string, args: TeamNamespaceArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:TeamNamespace", name, {}, opts);
    const { name: namespace, quota, viewers } = args.config;
    const own = labels({ name: "team", instance: namespace, component: "team", owner: args.owner });
    const child = { parent: this };
    const created = new k8s.core.v1.Namespace(
      name,
      { metadata: { name: namespace, labels: { ...own, ...podSecurityLabels("restricted") } } },
      { ...child, protect: args.retainData },
    );
    const metadata = { namespace: created.metadata.name, labels: own };
    new k8s.core.v1.ResourceQuota(
      `${name}-quota`,
      { metadata, spec: { hard: quotaLimits(quota) } },
      child,
    );
    new k8s.core.v1.LimitRange(
      `${name}-limits`,
      { metadata, spec: { limits: [CONTAINER_DEFAULTS] } },
      child,
    );
    new k8s.networking.v1.NetworkPolicy(`${name}-deny`, { metadata, spec: denyAllButDns() }, child);
    if (args.ingress.issuer) {
      new k8s.networking.v1.NetworkPolicy(
        `${name}-solvers`,
        { metadata, spec: allowCertificateSolvers(args.ingress.namespace) },
        child,
      );
    }
    if (viewers.length > 0) {
      const apiGroup = "rbac.authorization.k8s.io";
      new k8s.rbac.v1.RoleBinding(
        `${name}-viewers`,
        {
          metadata,
          // The built-in role that shows all but Secrets and roles.
          roleRef: { apiGroup, kind: "ClusterRole", name: "view" },
          subjects: viewers.map((group) => ({ apiGroup, kind: "Group", name: group })),
        },
        child,
      );
    }
    this.registerOutputs({});
  }
}

/** For containers that come without requests or limits; ours never do. */
const CONTAINER_DEFAULTS = {
  type: "Container",
  defaultRequest: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" },
  default: { cpu: "500m", memory: "256Mi", "ephemeral-storage": "128Mi" },
};

/** A ResourceQuota's `hard`, with counts of what else fills up etcd or an address range. */
export function quotaLimits(quota: TeamConfig["quota"]): Record<string, string> {
  return {
    "requests.cpu": quota.cpu,
    "requests.memory": quota.memory,
    "limits.memory": quota.memory,
    "requests.storage": quota.storage,
    "requests.nvidia.com/gpu": `${quota.gpus}`,
    pods: `${quota.pods}`,
    persistentvolumeclaims: "20",
    services: "50",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
    secrets: "50",
    configmaps: "100",
    "count/jobs.batch": "100",
    "count/deployments.apps": "50",
  };
}
