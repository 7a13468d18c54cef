import { describe, expect, test } from "vitest";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import { rulesWith } from "../../policy/rules/list";
import { judge, resourceOf, UNKNOWN } from "./harness";
import { deployment, podSpec } from "./objects";

const RULES = rulesWith(async () => 1);
const bad = { containers: [{ name: "app", securityContext: { privileged: true } }] };
const template = { spec: bad };
const PLACE = "spec.template.spec.containers[0].securityContext.privileged";

/** Names of the rules that object, and where they object to the pod. */
async function objections(value: KubernetesValue, type?: string) {
  const { findings } = await judge(RULES, resourceOf(value, type === undefined ? {} : { type }));
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
      "in a TrainJob's overrides of pods",
      {
        apiVersion: "trainer.kubeflow.org/v1alpha1",
        kind: "TrainJob",
        spec: { podTemplateOverrides: [{ spec: bad }] },
      },
      "spec.podTemplateOverrides[0].spec",
    ],
    [
      "in a pod of only ephemeral containers",
      {
        apiVersion: "v1",
        kind: "Pod",
        spec: { containers: null, ephemeralContainers: bad.containers },
      },
      "spec",
    ],
  ])("%s", async (_, value, path) => {
    const field = /ephemeral/.test(JSON.stringify(value)) ? "ephemeralContainers" : "containers";
    expect(await objections(value)).toContain(
      `privileged: ${path}.${field}[0].securityContext.privileged`,
    );
  });

  test("in a list of objects, in each of them", async () => {
    const item = { kind: "Deployment", spec: { template } };
    const list = { apiVersion: "apps/v1", kind: "DeploymentList", items: [item, item] };
    const found = await objections(list);
    for (const index of [0, 1]) {
      expect(found).toContain(
        `privileged: items[${index}].spec.template.spec.containers[0].securityContext.privileged`,
      );
    }
  });

  test("in a list of several kinds", async () => {
    const pod = { apiVersion: "v1", kind: "Pod", spec: bad };
    const found = await objections({ apiVersion: "v1", kind: "List", items: [pod] });
    expect(found).toContain("privileged: items[0].spec.containers[0].securityContext.privileged");
    expect(found).toContain("bare-pod: items[0].kind");
  });

  test("in a patch, which is refused as well", async () => {
    const type = "kubernetes:apps/v1:DeploymentPatch";
    const found = await objections({ ...deployment, spec: { template } }, type);
    expect(found).toEqual([
      expect.stringMatching(/^opaque-patch: the resource changes/),
      "privileged: spec.template.spec.containers[0].securityContext.privileged",
    ]);
  });

  test("in a patch of a custom resource", async () => {
    const value = { apiVersion: "kubeflow.org/v1", kind: "PyTorchJob", spec: { worker: template } };
    const type = "kubernetes:kubeflow.org/v1:PyTorchJobPatch";
    expect(await objections(value, type)).toContain(
      "privileged: spec.worker.spec.containers[0].securityContext.privileged",
    );
  });
});

test.each(["Namespace", "Role", "ConfigMap", "Secret", "MutatingWebhookConfiguration"])(
  "a patch of a %s is refused",
  async (kind) => {
    const found = await objections(
      { apiVersion: "v1", kind, metadata: { name: "team", namespace: "team" } },
      `kubernetes:core/v1:${kind}Patch`,
    );
    expect(found).toContainEqual(expect.stringMatching(/^opaque-patch: /));
  },
);

const hostPath = { name: "root", hostPath: { path: "/" } };
const kserve = {
  apiVersion: "serving.kserve.io/v1beta1",
  kind: "InferenceService",
  metadata: deployment.metadata,
};
const trainOverrides = (spec: object) => ({
  apiVersion: "trainer.kubeflow.org/v1alpha1",
  kind: "TrainJob",
  metadata: deployment.metadata,
  spec: { podTemplateOverrides: [{ spec }] },
});

describe("a part of a pod, which an operator completes, is judged by what is written", () => {
  test.each<[string, KubernetesValue, string[]]>([
    [
      "a node's namespaces and files without any container",
      trainOverrides({ hostNetwork: true, hostPID: true, volumes: [hostPath] }),
      [
        "host-namespaces: spec.podTemplateOverrides[0].spec.hostNetwork",
        "host-namespaces: spec.podTemplateOverrides[0].spec.hostPID",
        "host-path-volumes: spec.podTemplateOverrides[0].spec.volumes[0].hostPath",
        "volume-types: spec.podTemplateOverrides[0].spec.volumes[0]",
      ],
    ],
    [
      "a security context alone",
      trainOverrides({ securityContext: { runAsUser: 0, sysctls: [{ name: "kernel.msgmax" }] } }),
      [
        "sysctls: spec.podTemplateOverrides[0].spec.securityContext.sysctls[0]",
        "run-as-user: spec.podTemplateOverrides[0].spec.securityContext.runAsUser",
      ],
    ],
    [
      "a container under a name of its own",
      {
        ...kserve,
        spec: {
          predictor: {
            hostIPC: true,
            model: {
              securityContext: { privileged: true },
              env: [{ name: "DB_PASSWORD", value: "hunter22x" }],
            },
          },
        },
      },
      [
        "host-namespaces: spec.predictor.hostIPC",
        "privileged: spec.predictor.model.securityContext.privileged",
        "literal-credential: spec.predictor.model.env[0].value",
      ],
    ],
    [
      "a container that only has an environment",
      {
        ...kserve,
        spec: { trainer: { env: [{ name: "DB_PASSWORD", value: "hunter22x" }] } },
      },
      ["literal-credential: spec.trainer.env[0].value"],
    ],
    ["what nobody could object to", { ...kserve, spec: { predictor: { volumes: [{}] } } }, []],
    [
      "fields that are called like those of a pod and are others",
      { ...kserve, spec: { volumes: [{}], env: [{ a: 1 }], hostAliases: 5, ports: { http: 80 } } },
      [],
    ],
  ])("%s", async (_, value, problems) => {
    const found = await objections(value);
    expect(found.filter((one) => !/^scratch-limit/.test(one))).toEqual(problems);
  });

  test("also where nothing but its kind says that it is one", async () => {
    const spec = { containers: { a: { securityContext: { privileged: true } } } };
    const found = await objections({ ...deployment, spec: { template: { spec } } });
    expect(found).toContain(
      "privileged: spec.template.spec.containers.a.securityContext.privileged",
    );
  });
});

describe("what is not known yet", () => {
  const objected = async (value: KubernetesValue, type?: string) => {
    const rules = RULES.filter(({ name }) => name === "privileged" || name === "app-armor-profile");
    const report = await judge(rules, resourceOf(value, type === undefined ? {} : { type }));
    return [...report.findings.map(({ message }) => message.split(" ")[1]), ...report.unknown];
  };
  const pods = { apiVersion: "v1", kind: "PodList" };
  test.each<[string, KubernetesValue, string[]]>([
    [
      "a workload's template",
      { ...deployment, spec: { template: UNKNOWN } },
      ["every rule needs spec.template of subject"],
    ],
    [
      "a part of a custom resource",
      { ...kserve, spec: { predictor: UNKNOWN } },
      ["every rule needs spec.predictor of subject"],
    ],
    [
      "a template's metadata",
      { ...deployment, spec: { template: { metadata: UNKNOWN, spec: podSpec } } },
      ["app-armor-profile needs spec.template.metadata of subject"],
    ],
    ["a number of replicas", { ...deployment, spec: { replicas: UNKNOWN, template } }, [PLACE]],
    [
      "one container of two",
      {
        ...deployment,
        spec: { template: { spec: { containers: [UNKNOWN, bad.containers[0]] } } },
      },
      [PLACE.replace("[0]", "[1]"), "every rule needs spec.template.spec.containers[0] of subject"],
    ],
    ["a list", { ...pods, items: UNKNOWN }, ["every rule needs items of subject"]],
    [
      "one object of a list",
      { ...pods, items: [UNKNOWN, { spec: bad }] },
      [
        "items[1].spec.containers[0].securityContext.privileged",
        "every rule needs items[0] of subject",
      ],
    ],
  ])("is said, and the rest is judged: %s", async (_, value, expected) => {
    expect(await objected(value)).toEqual(expected);
  });
});

describe("an image is judged wherever it is named", () => {
  const measured = rulesWith(async () => 2e9);
  const reference = `docker.io/team/app@sha256:${"a".repeat(64)}`;
  test.each<[string, KubernetesValue, string]>([
    [
      "by what an operator runs",
      { ...kserve, spec: { trainer: { image: reference } } },
      "spec.trainer.image",
    ],
    [
      "by a volume",
      {
        ...deployment,
        spec: {
          template: { spec: { ...podSpec, volumes: [{ name: "v", image: { reference } }] } },
        },
      },
      "spec.template.spec.volumes[0].image.reference",
    ],
  ])("%s", async (_, value, place) => {
    const names = ["image-digest", "image-registry", "image-size"];
    const rules = measured.filter(({ name }) => names.includes(name));
    const of = async (image: string) => {
      const text = JSON.stringify(value).replaceAll(reference, image);
      const { findings } = await judge(rules, resourceOf(JSON.parse(text)));
      return findings
        .map(({ message }) => message.split(" ").slice(0, 2).join(" "))
        .filter((one) => one.endsWith(place));
    };
    expect(await of(reference)).toEqual([`image-size: ${place}`]);
    expect(await of("evil.example/app:1")).toEqual(names.map((name) => `${name}: ${place}`));
  });
});

test.each([
  "kubernetes:helm.sh/v4:Chart",
  "kubernetes:yaml/v2:ConfigGroup",
  "kubernetes:kustomize:Directory",
  "mlplatform:team:Team",
])("the component %s is no object: its children are judged", async (type) => {
  expect(await objections({ kind: "x", spec: { template } }, type)).toEqual([]);
});

test("an object of a group that is called like a component is judged", async () => {
  const value = { apiVersion: "yaml.example.com/v1", kind: "PyTorchJob", spec: { template } };
  expect(await objections(value)).toContain(
    "privileged: spec.template.spec.containers[0].securityContext.privileged",
  );
});

test("null is no security context", async () => {
  const [container] = podSpec.containers ?? [];
  const nothing = { ...podSpec, securityContext: null, containers: [{ ...container }, null] };
  const found = await objections({
    ...deployment,
    spec: { template: { spec: { ...nothing } } },
  } as KubernetesValue);
  expect(found).toContain(
    "run-as-non-root: spec.template.spec.containers[1].securityContext.runAsNonRoot",
  );
});

test("fields of wrong types are findings, and keep no other rule from judging", async () => {
  const value = { ...deployment, spec: { template: { spec: { ...podSpec, volumes: "none" } } } };
  const report = await judge(RULES, resourceOf(value as KubernetesValue));
  const messages = report.findings.map(({ message }) => message);
  expect(messages).toContainEqual(
    expect.stringMatching(/^volume-types: could not judge spec\.template\.spec \(TypeError\)/),
  );
  expect(messages.some((message) => message.startsWith("privileged"))).toBe(false);
});
