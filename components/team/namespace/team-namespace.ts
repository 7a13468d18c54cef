import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { labels } from "../../kubernetes/labels";
import { podSecurityNamespace } from "../../kubernetes/namespace";
import { allowCertificateSolvers, denyAllButDns } from "../../kubernetes/network";
import { outputOf } from "../../kubernetes/output";
import { checksHosts } from "../../platform/certificates/issuers";
import type { ingressSchema } from "../../platform/ingress/schema";
import { allowModels } from "../serving/network";
import { type quotaSchema, teamNamespaceSettings } from "./schema";

export interface TeamNamespaceArgs {
  /** Name of the team and of its namespace. It is a plain value, as it is checked, and is part of labels. */
  readonly team: string;
  /** Limits of the namespace. Default: 16 cores, 32Gi of memory, 100Gi of volumes, 100 pods, no GPU. */
  readonly quota?: z.input<typeof quotaSchema>;
  /** Groups that may read everything but Secrets. Default: none. */
  readonly viewers?: readonly pulumi.Input<string>[];
  /** The platform's Ingress. Default: without an issuer of certificates. */
  readonly ingress?: z.input<typeof ingressSchema>;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /** Protects the namespace from deletion. Default: true. */
  readonly retainData?: boolean;
}

/** A team's namespace: its limits, who may read it, and network policies that deny what no other policy allows. */
export class TeamNamespace extends pulumi.ComponentResource {
  /** Its name. What uses it is created after the limits and network policies. */
  readonly name: pulumi.Output<string>;

  constructor(name: string, args: TeamNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:TeamNamespace", name, {}, opts);
    const { viewers = [], owner = "ml-platform", retainData = true, ...rest } = args;
    const { team, quota, ingress } = parseArgs(teamNamespaceSettings, rest, name);
    const own = labels({ name: "team", instance: team, component: "team", owner });
    const child = { parent: this };
    const created = podSecurityNamespace(name, team, own, "restricted", {
      ...child,
      protect: retainData,
    });
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
    const policies = {
      deny: denyAllButDns(),
      models: allowModels(),
      ...(checksHosts(ingress.issuer) && { solvers: allowCertificateSolvers(ingress.namespace) }),
    };
    for (const [suffix, spec] of Object.entries(policies)) {
      new k8s.networking.v1.NetworkPolicy(`${name}-${suffix}`, { metadata, spec }, child);
    }
    if (viewers.length > 0) {
      new k8s.rbac.v1.RoleBinding(`${name}-viewers`, { metadata, ...viewBinding(viewers) }, child);
    }
    this.name = outputOf(this, created.metadata.name);
    this.registerOutputs({ name: this.name });
  }
}

/** Binds groups to the built-in role that may read everything but Secrets and roles. */
function viewBinding(groups: readonly pulumi.Input<string>[]) {
  const apiGroup = "rbac.authorization.k8s.io";
  return {
    roleRef: { apiGroup, kind: "ClusterRole", name: "view" },
    subjects: groups.map((name) => ({ apiGroup, kind: "Group", name })),
  };
}

/** Requests and limits of containers that have none, which no component of this project makes. */
const CONTAINER_DEFAULTS = {
  type: "Container",
  defaultRequest: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" },
  default: { cpu: "500m", memory: "256Mi", "ephemeral-storage": "128Mi" },
};

/** A ResourceQuota's `hard`, with limits on the number of other objects, which take space in etcd and addresses. */
export function quotaLimits(quota: z.output<typeof quotaSchema>): Record<string, string> {
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
