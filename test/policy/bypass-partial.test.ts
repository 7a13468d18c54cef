import { describe, expect, test } from "vitest";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import { rulesWith } from "../../policy/rules/list";
import { evaluateResource, resourceOf } from "./harness";
import { deployment, inferenceService, podSpec } from "./objects";

const RULES = rulesWith(async () => 1);
const LARGE = rulesWith(async () => 2e9);

/** The findings, as rule names and paths. */
async function findingsIn(value: KubernetesValue, rules = RULES) {
  const { findings } = await evaluateResource(rules, resourceOf(value));
  return findings.map(({ message }) => message.replace(/ (?:is|contains|has) .*/s, ""));
}

const pinned = `docker.io/team/app@sha256:${"a".repeat(64)}`;
const hostPath = { name: "root", hostPath: { path: "/" } };
const trainOverrides = (spec: object) => ({
  apiVersion: "trainer.kubeflow.org/v1alpha1",
  kind: "TrainJob",
  metadata: deployment.metadata,
  spec: { podTemplateOverrides: [{ spec }] },
});

describe("in a partial pod, which an operator completes, only existing fields are checked", () => {
  test.each<[string, KubernetesValue, string[]]>([
    [
      "host namespaces and files without any container",
      trainOverrides({ hostNetwork: true, hostPID: true, volumes: [hostPath] }),
      [
        "host-namespaces: spec.podTemplateOverrides[0].spec.hostNetwork",
        "host-namespaces: spec.podTemplateOverrides[0].spec.hostPID",
        "host-path-volumes: spec.podTemplateOverrides[0].spec.volumes[0].hostPath",
        "volume-types: spec.podTemplateOverrides[0].spec.volumes[0]",
      ],
    ],
    [
      "only a security context",
      trainOverrides({ securityContext: { runAsUser: 0, sysctls: [{ name: "kernel.msgmax" }] } }),
      [
        "sysctls: spec.podTemplateOverrides[0].spec.securityContext.sysctls[0]",
        "run-as-user: spec.podTemplateOverrides[0].spec.securityContext.runAsUser",
      ],
    ],
    [
      "a container in a field with another name",
      {
        ...inferenceService,
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
        ...inferenceService,
        spec: { trainer: { env: [{ name: "DB_PASSWORD", value: "hunter22x" }] } },
      },
      ["literal-credential: spec.trainer.env[0].value"],
    ],
    ["nothing to report", { ...inferenceService, spec: { predictor: { volumes: [{}] } } }, []],
    [
      "incomplete required fields",
      { ...inferenceService, spec: { image: pinned, args: [], resources: { limits: { cpu: 1 } } } },
      [],
    ],
    [
      "schemas of fields of a pod",
      {
        ...inferenceService,
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        spec: { properties: { hostNetwork: { type: "boolean" }, env: {}, image: {} } },
      },
      [],
    ],
    [
      "other fields with names of pod fields",
      {
        ...inferenceService,
        spec: { volumes: [{}], env: [{ a: 1 }], hostAliases: 5, ports: { http: 80 } },
      },
      [],
    ],
  ])("%s", async (_, value, problems) => {
    const found = await findingsIn(value);
    expect(found.filter((one) => !/^scratch-limit/.test(one))).toEqual(problems);
  });

  test("also for a built-in kind without the shape of a pod", async () => {
    const spec = { containers: { a: { securityContext: { privileged: true } } } };
    const found = await findingsIn({ ...deployment, spec: { template: { spec } } });
    expect(found).toContain(
      "privileged: spec.template.spec.containers.a.securityContext.privileged",
    );
  });
});

describe("an image reference is checked in any field", () => {
  test.each<[string, KubernetesValue, string]>([
    [
      "in a field of an operator",
      { ...inferenceService, spec: { trainer: { image: pinned } } },
      "spec.trainer.image",
    ],
    [
      "in a volume",
      {
        ...deployment,
        spec: {
          template: {
            spec: { ...podSpec, volumes: [{ name: "v", image: { reference: pinned } }] },
          },
        },
      },
      "spec.template.spec.volumes[0].image.reference",
    ],
  ])("%s", async (_, value, place) => {
    const names = ["image-digest", "image-registry", "image-size"];
    const rules = LARGE.filter(({ name }) => names.includes(name));
    const of = async (image: string) => {
      const named = JSON.parse(JSON.stringify(value).replaceAll(pinned, image));
      return (await findingsIn(named, rules)).filter((one) => one.endsWith(` ${place}`));
    };
    expect(await of(pinned)).toEqual([`image-size: ${place}`]);
    expect(await of("evil.example/app:1")).toEqual(names.map((name) => `${name}: ${place}`));
  });
});
