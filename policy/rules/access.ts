import type { KubernetesObject } from "../model/resource";
import { list, part } from "../model/stack";
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
        const { apiGroups, nonResourceURLs, resources, verbs } = part({ rule }, "rule");
        return {
          place: `rules[${index}]`,
          verbs: new Set(list(verbs)),
          resources: new Set(list(resources)),
          all: new Set([apiGroups, nonResourceURLs, resources, verbs].flatMap(list)),
        };
      })
    : [];
}

/** Problems of every rule of a Role that grants one of `verbs` on one of `resources`. */
function granting(
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

/** Whether a rule of a Role is about a resource, by its name or as a subresource of whatever has it. */
function covers({ resources }: Grant, name: string): boolean {
  return resources.has(name) || resources.has(name.replace(/^[^/]+\//, "*/"));
}

const EVERYBODY: ReadonlySet<unknown> = new Set([
  "system:anonymous",
  "system:authenticated",
  "system:masters",
  "system:serviceaccounts",
  "system:unauthenticated",
]);

/** Built-in roles that hold the rights which these rules refuse: over Secrets, pods and other roles. */
const BROAD_ROLES: ReadonlySet<unknown> = new Set(["admin", "cluster-admin", "edit"]);

const READ = ["get", "list", "watch"];
const WRITE = ["create", "update", "patch"];
/** Verbs that the API server answers with the objects themselves. */
const ANSWERED = [...READ, "update", "patch", "deletecollection"];
/** Resources whose objects have pods made from them. */
const WORKLOADS = [
  ..."pods replicationcontrollers deployments statefulsets daemonsets replicasets".split(" "),
  ..."jobs cronjobs jobsets trainjobs pytorchjobs tfjobs mpijobs rayjobs rayclusters".split(" "),
];

/** Who may do what at the API server. */
export const ACCESS_RULES: readonly Rule[] = [
  {
    ...base,
    name: "cluster-admin",
    about: "Nothing of a stack is an administrator of the cluster.",
    remedy: "Bind a role with the rights that are needed.",
    object: ({ kind, value }) => {
      const role = part(value, "roleRef");
      return kind.endsWith("RoleBinding") &&
        (role.name === "cluster-admin" ||
          (BROAD_ROLES.has(role.name) &&
            (kind === "ClusterRoleBinding" || role.kind === "ClusterRole")))
        ? "roleRef names a role with rights over everything"
        : undefined;
    },
  },
  {
    ...base,
    name: "wildcard-rights",
    about: "Rights are named, so that a new kind or verb is not granted unseen.",
    remedy: "List the groups, resources and verbs that are needed.",
    object: (object) => [
      ...grantsOf(object)
        .filter(({ all }) => [...all].some((one) => /^\*(\/|$)/.test(`${one}`)))
        .map(({ place }) => `${place} holds *`),
      ...(object.kind === "ClusterRole" && object.value.aggregationRule
        ? ["aggregationRule takes in the rights of roles that nobody named"]
        : []),
    ],
  },
  {
    ...base,
    name: "escalation-rights",
    about: "Nobody can give themselves rights that they do not have.",
    remedy: "Remove the verbs bind, escalate and impersonate.",
    object: (object) =>
      grantsOf(object)
        .filter(({ verbs }) => ["bind", "escalate", "impersonate"].some((verb) => verbs.has(verb)))
        .map(({ place }) => `${place}.verbs allows to take over others' rights`),
  },
  {
    ...base,
    name: "secret-rights",
    about: "Secrets are mounted by the kubelet, and need not be read by anybody.",
    remedy: "Remove secrets, or name single ones in resourceNames of a Role that is exempt.",
    object: (object) => granting(object, ["secrets"], ANSWERED, "lets its subjects read Secrets"),
  },
  {
    ...base,
    name: "pod-rights",
    about:
      "Who makes pods or enters them has the rights of every account and secret of the namespace.",
    remedy: "Remove the rights to create pods and workloads, and to exec, attach and port-forward.",
    object: (object) => [
      ...granting(object, WORKLOADS, WRITE, "lets its subjects make pods"),
      ...granting(
        object,
        ["pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"],
        [...WRITE, "get"],
        "lets its subjects enter pods",
      ),
    ],
  },
  {
    ...base,
    name: "control-plane-rights",
    about: "Nodes, certificates, tokens, webhooks and volumes of the cluster are not a stack's.",
    remedy: "Remove the right.",
    object: (object) => [
      ...granting(object, ["nodes/proxy"], [...READ, ...WRITE], "reaches into nodes"),
      ...granting(
        object,
        ["certificatesigningrequests/approval", "serviceaccounts/token", "persistentvolumes"],
        WRITE,
        "makes certificates, tokens or volumes",
      ),
      ...granting(
        object,
        ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
        WRITE,
        "changes what the API server admits",
      ),
    ],
  },
  {
    ...base,
    name: "broad-subjects",
    about: "Rights are given to somebody, and not to everybody.",
    remedy: "Name a group, user or service account.",
    object: ({ kind, value }) =>
      kind.endsWith("RoleBinding")
        ? list(value.subjects).flatMap((subject, index) =>
            EVERYBODY.has(part({ subject }, "subject").name)
              ? `subjects[${index}] is everybody, or the cluster's administrators`
              : [],
          )
        : undefined,
  },
];
