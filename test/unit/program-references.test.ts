import { beforeAll, describe, expect, test } from "vitest";
import { type Inputs, type Registration, run } from "../support/mocks";
import { objectName, objects, podTemplates, selects } from "../support/objects";
import { fullStack, SECRETS, stackFile } from "../support/stacks";

const runs: Record<string, Registration[]> = {};

beforeAll(async () => {
  const { default: program } = await import("../../index");
  const stacks = { dev: stackFile("dev"), full: fullStack() };
  for (const [name, stack] of Object.entries(stacks)) {
    runs[name] = (await run(program, stack)).registrations;
  }
});

/** `namespace/name` of all objects of a kind. */
function namesOf(all: readonly Registration[], kind: string): string[] {
  return objects(all, kind).map((one) =>
    [one.inputs.metadata.namespace, objectName(one)].filter(Boolean).join("/"),
  );
}

/** The objects that a pod spec refers to by name, as `kind namespace/name`. */
function referencesOf(spec: Inputs, namespace: string): string[] {
  const volumes: Inputs[] = spec.volumes ?? [];
  const sources: Inputs[] = spec.containers.flatMap(({ envFrom }: Inputs) => envFrom ?? []);
  const named = [
    ["ServiceAccount", spec.serviceAccountName],
    ...volumes.flatMap(({ configMap, secret, persistentVolumeClaim: claim }) => [
      ...(configMap ? [["ConfigMap", configMap.name]] : []),
      ...(secret ? [["Secret", secret.secretName]] : []),
      ...(claim ? [["PersistentVolumeClaim", claim.claimName]] : []),
    ]),
    ...sources.map(({ secretRef }) => ["Secret", secretRef.name]),
  ];
  return named.map(([kind, name]) => `${kind} ${namespace}/${name}`);
}

describe.each(["dev", "full"])("stack %s", (name) => {
  const all = () => runs[name] ?? [];
  const pods = () => podTemplates(all());
  const found = (namespace: string, selector: Record<string, string>) =>
    pods().filter((one) => one.namespace === namespace && selects(selector, one.labels));

  test("the service account, ConfigMaps, Secrets and claims of a pod are declared in its namespace", () => {
    const declared = ["ServiceAccount", "ConfigMap", "Secret", "PersistentVolumeClaim"].flatMap(
      (kind) => namesOf(all(), kind).map((name) => `${kind} ${name}`),
    );
    // cert-manager creates the Secret of a certificate.
    const issued = objects(all(), "Certificate").map(
      ({ inputs }) => `Secret ${inputs.metadata.namespace}/${inputs.spec.secretName}`,
    );
    declared.push(...issued);
    const wanted = pods().flatMap(({ spec, namespace }) => referencesOf(spec, namespace));
    expect(wanted.length).toBeGreaterThan(pods().length);
    expect(wanted.filter((reference) => !declared.includes(reference))).toEqual([]);
  });

  test("the declared volumes of a pod are those that its containers mount", () => {
    for (const { spec, workload } of pods()) {
      const declared = (spec.volumes as Inputs[]).map(({ name }) => name).sort();
      const mounted = (spec.containers as Inputs[]).flatMap(({ volumeMounts }) => volumeMounts);
      expect([...new Set(mounted.map(({ name }) => name))].sort(), workload).toEqual(declared);
    }
  });

  test("the selector of a workload matches its own pods only", () => {
    // Kubernetes generates the selectors of Jobs.
    const selecting = pods().filter(({ workload }) => !/^demo-(train-|fetch$)/.test(workload));
    for (const { workload, namespace, selector } of selecting) {
      const names = found(namespace, selector ?? {}).map((one) => one.workload);
      expect(names).toEqual([workload]);
    }
  });

  test("a Service selects the pods of one workload, and one of their ports", () => {
    for (const { name, inputs } of objects(all(), "Service")) {
      const [target, ...others] = found(inputs.metadata.namespace, inputs.spec.selector);
      expect(others, name).toEqual([]);
      const ports = target?.spec.containers.flatMap(({ ports }: Inputs) => ports);
      for (const { targetPort } of inputs.spec.ports) {
        expect(ports.map((port: Inputs) => port.name)).toContain(targetPort);
      }
    }
  });

  test("an Ingress refers to a declared Service and port", () => {
    const servicePorts = objects(all(), "Service").flatMap(({ inputs }) =>
      inputs.spec.ports.map(
        (port: Inputs) =>
          `${inputs.metadata.namespace}/${objectName({ inputs } as Registration)}:${port.name}`,
      ),
    );
    for (const { inputs } of objects(all(), "Ingress")) {
      const [{ service }] = inputs.spec.rules[0].http.paths.map(({ backend }: Inputs) => backend);
      expect(servicePorts).toContain(
        `${inputs.metadata.namespace}/${service.name}:${service.port.name}`,
      );
    }
  });

  test("no two Ingresses share a host", () => {
    const hosts = objects(all(), "Ingress").map(({ inputs }) => inputs.spec.rules[0].host);
    expect(new Set(hosts).size).toBe(hosts.length);
  });

  // The pods of cert-manager are in its Helm release.
  const declaredPods = (kind: string) =>
    objects(all(), kind).filter(({ inputs }) => inputs.metadata.namespace !== "cert-manager");

  test("disruption budgets, autoscalers and network policies refer to declared workloads", () => {
    for (const { name, inputs } of declaredPods("PodDisruptionBudget")) {
      expect(found(inputs.metadata.namespace, inputs.spec.selector.matchLabels), name).toHaveLength(
        1,
      );
    }
    const deployments = namesOf(all(), "Deployment");
    for (const { inputs } of objects(all(), "HorizontalPodAutoscaler")) {
      const target = `${inputs.metadata.namespace}/${inputs.spec.scaleTargetRef.name}`;
      expect(deployments).toContain(target);
    }
    for (const { name, inputs } of declaredPods("NetworkPolicy")) {
      const { matchLabels } = inputs.spec.podSelector;
      expect(found(inputs.metadata.namespace, matchLabels).length, name).toBeGreaterThan(0);
    }
  });

  test("roles are bound to declared service accounts, and none is for administration or editing", () => {
    const accounts = namesOf(all(), "ServiceAccount");
    const bindings = [...objects(all(), "ClusterRoleBinding"), ...objects(all(), "RoleBinding")];
    expect(bindings.length).toBeGreaterThan(0);
    for (const { inputs } of bindings) {
      expect(inputs.roleRef.name).not.toMatch(/admin|edit/);
      expect(["ClusterRole", "Role"]).toContain(inputs.roleRef.kind);
      for (const { kind, namespace, name } of inputs.subjects as Inputs[]) {
        if (kind === "ServiceAccount") {
          expect(accounts).toContain(`${namespace}/${name}`);
        }
      }
    }
  });

  test("no service account mounts its token by default, and only pods that call the API server do", () => {
    const accounts = objects(all(), "ServiceAccount");
    expect(accounts.filter(({ inputs }) => inputs.automountServiceAccountToken !== false)).toEqual(
      [],
    );
    const mounting = pods().filter(({ spec }) => spec.automountServiceAccountToken !== false);
    expect(mounting.map(({ workload }) => workload).sort()).toEqual([
      "platform-metrics-adapter",
      "platform-prometheus",
    ]);
  });

  test("no rule has a verb that writes, a wildcard, or access to Secrets", () => {
    const rules = objects(all(), "ClusterRole").flatMap(({ inputs }) => inputs.rules as Inputs[]);
    expect(rules.length).toBeGreaterThan(0);
    for (const { verbs, resources, apiGroups } of rules) {
      expect(["get", "list", "watch"]).toEqual(expect.arrayContaining(verbs));
      expect([...resources, ...apiGroups]).not.toContain("*");
      expect(resources).not.toContain("secrets");
    }
  });

  test("namespaced objects are in a namespace of the stack, except one RoleBinding in kube-system", () => {
    const namespaces = namesOf(all(), "Namespace");
    const inside = objects(all()).filter(({ inputs }) => inputs.metadata.namespace);
    const outside = inside.filter(({ inputs }) => !namespaces.includes(inputs.metadata.namespace));
    expect(outside.map(({ name }) => name)).toEqual(["platform-metrics-adapter-front-proxy"]);
  });
});

describe("secrets", () => {
  const full = () => runs.full ?? [];
  const holds = (value: unknown) => {
    const text = JSON.stringify(value);
    return Object.values(SECRETS).some(
      (secret) => text.includes(secret) || text.includes(Buffer.from(secret).toString("base64")),
    );
  };

  test("are in one Secret, encrypted in the state, and nowhere else", () => {
    const [holder, ...others] = full().filter(({ inputs }) => holds(inputs));
    expect(others).toEqual([]);
    expect(holder?.name).toBe("demo-tracking-credentials");
    expect(holder?.inputs.stringData).toEqual({
      PGPASSWORD: SECRETS.postgresPassword,
      AWS_ACCESS_KEY_ID: SECRETS.s3AccessKeyId,
      AWS_SECRET_ACCESS_KEY: SECRETS.s3SecretAccessKey,
    });
    expect(holder?.secrets).toEqual(["stringData"]);
  });

  test("all data of every Secret is encrypted, in inputs and outputs", () => {
    const found = [...full(), ...(runs.dev ?? [])].filter(({ inputs }) => inputs.kind === "Secret");
    expect(found).toHaveLength(3);
    for (const { inputs, secrets, options } of found) {
      expect(secrets).toEqual([inputs.data ? "data" : "stringData"]);
      expect(options.additionalSecretOutputs).toEqual(["data", "stringData"]);
    }
  });
});

describe("retainData", () => {
  const protectedNames = (all: readonly Registration[]) =>
    all.filter(({ options }) => options.protect).map(({ name }) => name);

  test("protects each namespace and volume, and the key of the CA, and no other resource", () => {
    const full = runs.full ?? [];
    const stateful = [
      ...[...objects(full, "Namespace"), ...objects(full, "PersistentVolumeClaim")],
      ...full.filter(({ name }) => name === "platform-issuers-ca"),
    ];
    expect(stateful).toHaveLength(9);
    expect(protectedNames(full).sort()).toEqual(stateful.map(({ name }) => name).sort());
  });

  test("protects nothing if it is false", () => {
    expect(protectedNames(runs.dev ?? [])).toEqual([]);
  });
});
