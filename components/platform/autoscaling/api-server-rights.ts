import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Workload } from "../../kubernetes/workload";

/**
 * Gives an account the rights of an aggregated API server: to authenticate and authorize requests, and to read the pods that
 * they are about.
 * @param name first part of the names of its resources
 */
export function apiServerRights(
  name: string,
  workload: Workload,
  account: k8s.core.v1.ServiceAccount,
  opts: pulumi.CustomResourceOptions,
): void {
  const { labels, metadata } = workload;
  workload.allowReading("pods", ["pods", "namespaces"], account);
  workload.bindClusterRole("delegated-authentication", "system:auth-delegator", account);
  new k8s.rbac.v1.RoleBinding(
    `${name}-front-proxy`,
    {
      metadata: { namespace: "kube-system", labels },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "Role",
        name: "extension-apiserver-authentication-reader",
      },
      subjects: [
        { kind: "ServiceAccount", name: account.metadata.name, namespace: metadata.namespace },
      ],
    },
    opts,
  );
}
