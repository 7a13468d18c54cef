import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

const API_GROUP = "rbac.authorization.k8s.io";

/**
 * Gives an account the rights of an aggregated API server: to authenticate and authorize requests, and to read the pods that
 * they are about.
 */
export function apiServerRights(
  name: string,
  namespace: string,
  account: k8s.core.v1.ServiceAccount,
  labels: Record<string, string>,
  opts: pulumi.CustomResourceOptions,
): void {
  const subjects = [{ kind: "ServiceAccount", name: account.metadata.name, namespace }];
  const bind = (suffix: string, role: pulumi.Input<string>) =>
    new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-${suffix}`,
      {
        metadata: { labels },
        roleRef: { apiGroup: API_GROUP, kind: "ClusterRole", name: role },
        subjects,
      },
      opts,
    );
  const pods = new k8s.rbac.v1.ClusterRole(
    `${name}-pods`,
    {
      metadata: { labels },
      rules: [
        { apiGroups: [""], resources: ["pods", "namespaces"], verbs: ["get", "list", "watch"] },
      ],
    },
    opts,
  );
  bind("pods", pods.metadata.name);
  bind("delegated-authentication", "system:auth-delegator");
  new k8s.rbac.v1.RoleBinding(
    `${name}-front-proxy`,
    {
      metadata: { namespace: "kube-system", labels },
      roleRef: {
        apiGroup: API_GROUP,
        kind: "Role",
        name: "extension-apiserver-authentication-reader",
      },
      subjects,
    },
    opts,
  );
}
