import { describe, expect, test } from "vitest";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import { rulesWith } from "../../policy/rules/list";
import { evaluateResource, resourceOf } from "./harness";
import { deployment, podSpec } from "./objects";

const RULES = rulesWith(async () => 1);
const bad = { containers: [{ name: "app", securityContext: { privileged: true } }] };
const template = { spec: bad };

/** The findings, as rule names and paths. */
async function findingsIn(value: KubernetesValue, type?: string) {
  const { findings } = await evaluateResource(
    RULES,
    resourceOf(value, type === undefined ? {} : { type }),
  );
  return findings.map(({ message }) => message.replace(/ (?:is|holds) .*/s, ""));
}

describe("a privileged container is found", () => {
  test.each<[string, KubernetesValue, string]>([
    [
      "in a PyTorchJob",
      {
        apiVersion: "kubeflow.org/v1",
        kind: "PyTorchJob",
        spec: { pytorchReplicaSpecs: { Master: { template } } },
      },
      "spec.pytorchReplicaSpecs.Master.template.spec",
    ],
    [
      "in an MPIJob",
      {
        apiVersion: "kubeflow.org/v2beta1",
        kind: "MPIJob",
        spec: { mpiReplicaSpecs: { Worker: { template } } },
      },
      "spec.mpiReplicaSpecs.Worker.template.spec",
    ],
    [
      "in a training runtime, which is a JobSet of Jobs",
      {
        apiVersion: "trainer.kubeflow.org/v1alpha1",
        kind: "ClusterTrainingRuntime",
        spec: { template: { spec: { replicatedJobs: [{ template: { spec: { template } } }] } } },
      },
      "spec.template.spec.replicatedJobs[0].template.spec.template.spec",
    ],
    [
      "in the pod overrides of a TrainJob",
      {
        apiVersion: "trainer.kubeflow.org/v1alpha1",
        kind: "TrainJob",
        spec: { podTemplateOverrides: [{ spec: bad }] },
      },
      "spec.podTemplateOverrides[0].spec",
    ],
    [
      "in a pod with only ephemeral containers",
      {
        apiVersion: "v1",
        kind: "Pod",
        spec: { containers: null, ephemeralContainers: bad.containers },
      },
      "spec",
    ],
  ])("%s", async (_, value, path) => {
    const field = /ephemeral/.test(JSON.stringify(value)) ? "ephemeralContainers" : "containers";
    expect(await findingsIn(value)).toContain(
      `privileged: ${path}.${field}[0].securityContext.privileged`,
    );
  });

  test("in each object of a list", async () => {
    const item = { kind: "Deployment", spec: { template } };
    const list = { apiVersion: "apps/v1", kind: "DeploymentList", items: [item, item] };
    const found = await findingsIn(list);
    for (const index of [0, 1]) {
      expect(found).toContain(
        `privileged: items[${index}].spec.template.spec.containers[0].securityContext.privileged`,
      );
    }
  });

  test("in a list of several kinds", async () => {
    const pod = { apiVersion: "v1", kind: "Pod", spec: bad };
    const found = await findingsIn({ apiVersion: "v1", kind: "List", items: [pod] });
    expect(found).toContain("privileged: items[0].spec.containers[0].securityContext.privileged");
    expect(found).toContain("bare-pod: items[0].kind");
  });

  test("in a patch, which is also refused", async () => {
    const type = "kubernetes:apps/v1:DeploymentPatch";
    const found = await findingsIn({ ...deployment, spec: { template } }, type);
    expect(found).toEqual([
      expect.stringMatching(/^opaque-patch: the resource changes/),
      "privileged: spec.template.spec.containers[0].securityContext.privileged",
    ]);
  });

  test("in a patch of a custom resource", async () => {
    const value = { apiVersion: "kubeflow.org/v1", kind: "PyTorchJob", spec: { worker: template } };
    const type = "kubernetes:kubeflow.org/v1:PyTorchJobPatch";
    expect(await findingsIn(value, type)).toContain(
      "privileged: spec.worker.spec.containers[0].securityContext.privileged",
    );
  });
});

test.each(["Namespace", "Role", "ConfigMap", "Secret", "MutatingWebhookConfiguration"])(
  "a patch of a %s is refused",
  async (kind) => {
    const found = await findingsIn(
      { apiVersion: "v1", kind, metadata: { name: "team", namespace: "team" } },
      `kubernetes:core/v1:${kind}Patch`,
    );
    expect(found).toContainEqual(expect.stringMatching(/^opaque-patch: /));
  },
);

test.each([
  "kubernetes:helm.sh/v4:Chart",
  "kubernetes:yaml/v2:ConfigGroup",
  "kubernetes:kustomize:Directory",
  "mlplatform:team:Team",
])("the component %s is not an object: its children are checked", async (type) => {
  expect(await findingsIn({ kind: "x", spec: { template } }, type)).toEqual([]);
});

test("an object of a group with the name of a component is checked", async () => {
  const value = { apiVersion: "yaml.example.com/v1", kind: "PyTorchJob", spec: { template } };
  expect(await findingsIn(value)).toContain(
    "privileged: spec.template.spec.containers[0].securityContext.privileged",
  );
});

test("null is not a security context", async () => {
  const [container] = podSpec.containers ?? [];
  const nothing = { ...podSpec, securityContext: null, containers: [{ ...container }, null] };
  const found = await findingsIn({
    ...deployment,
    spec: { template: { spec: { ...nothing } } },
  } as KubernetesValue);
  expect(found).toContain(
    "run-as-non-root: spec.template.spec.containers[1].securityContext.runAsNonRoot",
  );
});

test("fields of wrong types are findings, and the other rules are evaluated", async () => {
  const value = { ...deployment, spec: { template: { spec: { ...podSpec, volumes: "none" } } } };
  const report = await evaluateResource(RULES, resourceOf(value as KubernetesValue));
  const messages = report.findings.map(({ message }) => message);
  expect(messages).toContainEqual(
    expect.stringMatching(/^volume-types: could not check spec\.template\.spec \(TypeError\)/),
  );
  expect(messages.some((message) => message.startsWith("privileged"))).toBe(false);
});
