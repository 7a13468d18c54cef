import { binding, configMap, deployment, role, secret } from "../objects";
import type { Changes, RuleCases } from "./case";

const CONTAINER = "[0].spec.template.spec.containers[0]";
const container = "spec.template.spec.containers[0]";
const grants = (resources: string[], verbs: string[]) => ({
  "[0].rules[1]": { apiGroups: [""], resources, verbs },
});

/** Rules for RBAC and credentials. */
export const ACCESS_CASES: Readonly<Record<string, RuleCases>> = {
  "cluster-admin": {
    good: [binding],
    passes: { "a Role of the namespace with this name": { "[0].roleRef.name": "admin" } },
    fails: {
      "admin of one namespace, including its Secrets": [
        { "[0].roleRef": { kind: "ClusterRole", name: "admin" } },
        "roleRef names a role with all permissions",
      ],
      "cluster-admin": [
        { "[0].roleRef.name": "cluster-admin" },
        "roleRef names a role with all permissions",
      ],
      "edit in all namespaces": [
        { "[0].kind": "ClusterRoleBinding", "[0].roleRef.name": "edit" },
        "roleRef names a role with all permissions",
      ],
    },
  },
  "wildcard-rights": {
    good: [role, binding],
    passes: {
      "non-resource URLs with *": {
        "[0].kind": "ClusterRole",
        "[0].rules[1]": { nonResourceURLs: ["/healthz/*"], verbs: ["get"] },
      },
    },
    fails: {
      "a subresource of everything": [grants(["*/scale"], ["get"]), "rules[1] holds *"],
      "an aggregation of roles by label": [
        { "[0].kind": "ClusterRole", "[0].aggregationRule": { clusterRoleSelectors: [{}] } },
        "aggregationRule adds the permissions of other roles",
      ],
      verbs: [grants(["configmaps"], ["*"]), "rules[1] holds *"],
      "resources of a ClusterRole": [
        { "[0].kind": "ClusterRole", ...grants(["*"], ["get"]) },
        "rules[1] holds *",
      ],
    },
  },
  "escalation-rights": {
    good: [role],
    fails: {
      impersonate: [
        grants(["users"], ["get", "impersonate"]),
        "rules[1].verbs allows privilege escalation",
      ],
    },
  },
  "secret-rights": {
    good: [role],
    passes: { "creating them": grants(["secrets"], ["create"]) },
    fails: {
      list: [grants(["secrets"], ["list"]), "rules[1] lets its subjects read Secrets"],
      "patch, whose response contains the Secret": [
        grants(["secrets"], ["patch"]),
        "rules[1] lets its subjects read Secrets",
      ],
    },
  },
  "pod-rights": {
    good: [role],
    passes: {
      logs: grants(["pods/log"], ["get"]),
      scaling: grants(["deployments/scale"], ["patch"]),
    },
    fails: {
      "by creating a workload": [
        grants(["deployments", "cronjobs"], ["create"]),
        "rules[1] lets its subjects create pods",
      ],
      "any exec": [grants(["*/exec"], ["create"]), "rules[1] allows exec into pods"],
      create: [grants(["pods"], ["create"]), "rules[1] lets its subjects create pods"],
      exec: [grants(["pods/exec"], ["create"]), "rules[1] allows exec into pods"],
      "attach, by get": [grants(["pods/attach"], ["get"]), "rules[1] allows exec into pods"],
    },
  },
  "control-plane-rights": {
    good: [role],
    fails: {
      nodes: [grants(["nodes/proxy"], ["get"]), "rules[1] gives access to nodes"],
      tokens: [
        grants(["serviceaccounts/token"], ["create"]),
        "rules[1] allows to create certificates, tokens or volumes",
      ],
      "tokens of all resources": [
        grants(["*/token"], ["create"]),
        "rules[1] allows to create certificates, tokens or volumes",
      ],
      webhooks: [
        grants(["validatingwebhookconfigurations"], ["patch"]),
        "rules[1] allows to change admission",
      ],
    },
  },
  "broad-subjects": {
    good: [binding],
    fails: {
      "all users": [
        { "[0].subjects[1]": { kind: "Group", name: "system:authenticated" } },
        "subjects[1] is a group of all users, or of cluster administrators",
      ],
    },
  },
  "literal-credential": {
    good: [deployment],
    passes: {
      "a path": { [`${CONTAINER}.env[0]`]: { name: "TOKEN_FILE", value: "/run/token" } },
      "a number": { [`${CONTAINER}.env[0]`]: { name: "MAX_TOKEN", value: "4096" } },
      "a path with capitals": {
        [`${CONTAINER}.env[0]`]: { name: "DB_PASSWORD", value: "/run/secrets/DB_PASSWORD" },
      },
      "a variable in a command": {
        [`${CONTAINER}.command`]: ["sh", "-c", "PASSWORD=$(cat /run/password) app --token $TOKEN"],
      },
      "a flag without a value": { [`${CONTAINER}.args`]: ["--no-token", "--port=8080"] },
      "a reference": {
        [`${CONTAINER}.env[0]`]: {
          name: "PASSWORD",
          valueFrom: { secretKeyRef: { name: "s", key: "k" } },
        },
      },
    },
    fails: {
      "by its name": [
        { [`${CONTAINER}.env[0]`]: { name: "DB_PASSWORD", value: "hunter22" } },
        `${container}.env[0].value contains a credential, according to its name`,
      ],
      ...Object.fromEntries(
        [
          ["in one word", "PGPASSWORD", "hunter22"],
          ["in short", "DB_PASS", "hunter22"],
          ["with a number", "PASSWORD_1", "hunter22"],
          ["of digits", "DB_PASSWORD", "73219984"],
          ["that begins like a path", "API_TOKEN", "/wJalrXUtnFEMIK7MDENGbPxRfi"],
        ].map(([title, name, value]): [string, [Changes, string]] => [
          `by its name ${title}`,
          [
            { [`${CONTAINER}.env[0]`]: { name, value } },
            `${container}.env[0].value contains a credential, according to its name`,
          ],
        ]),
      ),
      "after its flag": [
        { [`${CONTAINER}.args`]: ["--password", "hunter22"] },
        `${container}.args[1] contains a credential, according to its name`,
      ],
      "in a command of a shell": [
        { [`${CONTAINER}.command`]: ["sh", "-c", "PASSWORD=hunter22 app"] },
        `${container}.command[2] contains a credential in one of its lines`,
      ],
      "in a command of a shell, after its flag": [
        { [`${CONTAINER}.command`]: ["sh", "-c", "exec app --password hunter22"] },
        `${container}.command[2] contains a credential in one of its lines`,
      ],
      "in a connection string": [
        { [`${CONTAINER}.env[0].value`]: "host=db user=app password=hunter22" },
        `${container}.env[0].value contains a credential in one of its lines`,
      ],
      "by its format": [
        { [`${CONTAINER}.env[0].value`]: "AKIAIOSFODNN7EXAMPLE" },
        `${container}.env[0].value holds an AWS access key`,
      ],
      "in a URL": [
        { [`${CONTAINER}.env[0].value`]: "postgresql://mlflow:hunter22@db:5432/mlflow" },
        `${container}.env[0].value holds a URL with a password`,
      ],
      "in an argument": [
        { [`${CONTAINER}.args[0]`]: "--api-key=hunter22" },
        `${container}.args[0] contains a credential, according to its name`,
      ],
    },
  },
  "credential-in-config-map": {
    good: [configMap, secret],
    passes: {
      "code that reads one": {
        "[0].data[app.py]":
          "import os\nconnect(user, password=os.environ['PW'])\nlogin(token=read_token())\n",
      },
      "the name of a Secret's file": { "[0].data[app.yaml]": "passwordFile: /run/password\n" },
    },
    fails: {
      "JSON in one line": [
        { "[0].data[app.json]": '{"user":"app","password":"hunter22"}' },
        "data, entry 2, contains a credential in one of its lines",
      ],
      "a line of a script": [
        { "[0].data[env.sh]": "set -e\nexport DB_PASSWORD=hunter22\n" },
        "data, entry 2, contains a credential in one of its lines",
      ],
      "an item of a list": [
        { "[0].data[users.yaml]": "users:\n  - password: hunter22\n" },
        "data, entry 2, contains a credential in one of its lines",
      ],
      "a file in base64": [
        { "[0].binaryData": { app: Buffer.from("password: hunter22").toString("base64") } },
        "binaryData, entry 1, contains a credential in one of its lines",
      ],
      "a key": [
        { "[0].data.password": "hunter22" },
        "data, entry 2, contains a credential, according to its name",
      ],
      "a line of a file": [
        { "[0].data[app.yaml]": "port: 8080\nsecret_key: hunter22\n" },
        "data, entry 1, contains a credential in one of its lines",
      ],
      "a private key": [
        { "[0].data[tls.key]": "-----BEGIN EC PRIVATE KEY-----\nMHc=\n" },
        "data, entry 2, holds a private key",
      ],
    },
  },
  "secret-in-environment": {
    good: [deployment],
    fails: {
      "one key": [
        { [`${CONTAINER}.env[0]`]: { name: "A", valueFrom: { secretKeyRef: { name: "s" } } } },
        `${container}.env[0] takes its value from a Secret`,
      ],
      "all keys": [
        { [`${CONTAINER}.envFrom`]: [{ configMapRef: {} }, { secretRef: { name: "s" } }] },
        `${container}.envFrom[1] takes its values from a Secret`,
      ],
    },
  },
  "lasting-token": {
    good: [secret],
    fails: {
      token: [
        { "[0].type": "kubernetes.io/service-account-token" },
        "type creates a token that never expires",
      ],
    },
  },
};
