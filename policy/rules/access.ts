import type { KubernetesObject } from "../model/resource";
import { list, recordAt } from "../model/stack";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
} as const;

/** One rule of a Role, with its lists as sets. */
interface Grant {
  readonly place: string;
  readonly verbs: ReadonlySet<unknown>;
  readonly resources: ReadonlySet<unknown>;
  readonly all: ReadonlySet<unknown>;
}

function grantsOf({ kind, value }: KubernetesObject): Grant[] {
  return /^(Cluster)?Role$/.test(kind)
    ? list(value.rules).map((rule, index) => {
        const { apiGroups, nonResourceURLs, resources, verbs } = recordAt({ rule }, "rule");
        return {
          place: `rules[${index}]`,
          verbs: new Set(list(verbs)),
          resources: new Set(list(resources)),
          all: new Set([apiGroups, nonResourceURLs, resources, verbs].flatMap(list)),
        };
      })
    : [];
}

/** Violations for every rule of a Role that grants one of `verbs` on one of `resources`. */
function grantProblems(
  object: KubernetesObject,
  resources: readonly string[],
  verbs: readonly string[],
  problem: string,
): string[] {
  return grantsOf(object)
    .filter((grant) => resources.some((name) => covers(grant, name)))
    .filter((grant) => verbs.some((verb) => grant.verbs.has(verb)))
    .map(({ place }) => `${place} ${problem}`);
}

/** Whether a rule of a Role covers a resource, by its name or as a subresource. */
function covers({ resources }: Grant, name: string): boolean {
  return resources.has(name) || resources.has(name.replace(/^[^/]+\//, "*/"));
}

const ALL_SUBJECTS: ReadonlySet<unknown> = new Set([
  "system:anonymous",
  "system:authenticated",
  "system:masters",
  "system:serviceaccounts",
  "system:unauthenticated",
]);

/** Built-in roles with permissions that these rules forbid: for Secrets, pods and other roles. */
const BROAD_ROLES: ReadonlySet<unknown> = new Set(["admin", "cluster-admin", "edit"]);

const READ = ["get", "list", "watch"];
const WRITE = ["create", "update", "patch"];
/** Verbs whose response contains the objects. */
const RETURNING_VERBS = [...READ, "update", "patch", "deletecollection"];
/** Resources whose objects create pods. */
const WORKLOADS = [
  ..."pods replicationcontrollers deployments statefulsets daemonsets replicasets".split(" "),
  ..."jobs cronjobs jobsets trainjobs pytorchjobs tfjobs mpijobs rayjobs rayclusters".split(" "),
];

/** Rules for RBAC. */
export const ACCESS_RULES: readonly Rule[] = [
  {
    ...base,
    name: "cluster-admin",
    description: "No subject of a stack has the role cluster-admin or similar permissions.",
    remedy: "Bind a role with only the required permissions.",
    object: ({ kind, value }) => {
      const role = recordAt(value, "roleRef");
      return kind.endsWith("RoleBinding") &&
        (role.name === "cluster-admin" ||
          (BROAD_ROLES.has(role.name) &&
            (kind === "ClusterRoleBinding" || role.kind === "ClusterRole")))
        ? "roleRef names a role with all permissions"
        : undefined;
    },
  },
  {
    ...base,
    name: "wildcard-rights",
    description:
      "Permissions have no wildcards, so that new resources and verbs are not granted implicitly.",
    remedy: "List the required API groups, resources and verbs.",
    object: (object) => [
      ...grantsOf(object)
        .filter(({ all }) => [...all].some((one) => /^\*(\/|$)/.test(`${one}`)))
        .map(({ place }) => `${place} holds *`),
      ...(object.kind === "ClusterRole" && object.value.aggregationRule
        ? ["aggregationRule adds the permissions of other roles"]
        : []),
    ],
  },
  {
    ...base,
    name: "escalation-rights",
    description: "No subject can grant itself permissions that it does not have.",
    remedy: "Remove the verbs bind, escalate and impersonate.",
    object: (object) =>
      grantsOf(object)
        .filter(({ verbs }) => ["bind", "escalate", "impersonate"].some((verb) => verbs.has(verb)))
        .map(({ place }) => `${place}.verbs allows privilege escalation`),
  },
  {
    ...base,
    name: "secret-rights",
    description: "The kubelet mounts Secrets, so that no subject needs permission to read them.",
    remedy: "Remove secrets, or list single Secrets in resourceNames of a Role with an exemption.",
    object: (object) =>
      grantProblems(object, ["secrets"], RETURNING_VERBS, "lets its subjects read Secrets"),
  },
  {
    ...base,
    name: "pod-rights",
    description:
      "A subject that can create pods or run commands in them has the permissions of all service accounts and Secrets of the namespace.",
    remedy:
      "Remove the permissions to create pods and workloads, and to exec, attach and port-forward.",
    object: (object) => [
      ...grantProblems(object, WORKLOADS, WRITE, "lets its subjects create pods"),
      ...grantProblems(
        object,
        ["pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"],
        [...WRITE, "get"],
        "allows exec into pods",
      ),
    ],
  },
  {
    ...base,
    name: "control-plane-rights",
    description:
      "A stack has no permissions for nodes, certificates, tokens, webhooks and volumes of the cluster.",
    remedy: "Remove the permission.",
    object: (object) => [
      ...grantProblems(object, ["nodes/proxy"], [...READ, ...WRITE], "gives access to nodes"),
      ...grantProblems(
        object,
        ["certificatesigningrequests/approval", "serviceaccounts/token", "persistentvolumes"],
        WRITE,
        "allows to create certificates, tokens or volumes",
      ),
      ...grantProblems(
        object,
        ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
        WRITE,
        "allows to change admission",
      ),
    ],
  },
  {
    ...base,
    name: "broad-subjects",
    description: "Permissions are not granted to all users or service accounts.",
    remedy: "Name a group, user or service account.",
    object: ({ kind, value }) =>
      kind.endsWith("RoleBinding")
        ? list(value.subjects).flatMap((subject, index) =>
            ALL_SUBJECTS.has(recordAt({ subject }, "subject").name)
              ? `subjects[${index}] is a group of all users, or of cluster administrators`
              : [],
          )
        : undefined,
  },
];
