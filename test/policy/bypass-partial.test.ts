import { describe, expect, test } from "vitest";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import { rulesWith } from "../../policy/rules/list";
import { judge, resourceOf } from "./harness";
import { deployment, inferenceService, podSpec } from "./objects";

const RULES = rulesWith(async () => 1);
const LARGE = rulesWith(async () => 2e9);

/** Names of the rules that object, and where they object to the pod. */
async function objections(value: KubernetesValue, rules = RULES) {
  const { findings } = await judge(rules, resourceOf(value));
  return findings.map(({ message }) => message.replace(/ (?:is|holds|has|lacks) .*/s, ""));
}

const pinned = `docker.io/team/app@sha256:${"a".repeat(64)}`;
const hostPath = { name: "root", hostPath: { path: "/" } };
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
    [
      "what nobody could object to",
      { ...inferenceService, spec: { predictor: { volumes: [{}] } } },
      [],
    ],
    [
      "what is there in part and asked for in whole",
      { ...inferenceService, spec: { image: pinned, args: [], resources: { limits: { cpu: 1 } } } },
      [],
    ],
    [
      "fields of a pod that are described, and not set",
      {
        ...inferenceService,
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        spec: { properties: { hostNetwork: { type: "boolean" }, env: {}, image: {} } },
      },
      [],
    ],
    [
      "fields that are called like those of a pod and are others",
      {
        ...inferenceService,
        spec: { volumes: [{}], env: [{ a: 1 }], hostAliases: 5, ports: { http: 80 } },
      },
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

describe("an image is judged wherever it is named", () => {
  test.each<[string, KubernetesValue, string]>([
    [
      "by what an operator runs",
      { ...inferenceService, spec: { trainer: { image: pinned } } },
      "spec.trainer.image",
    ],
    [
      "by a volume",
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
      return (await objections(named, rules)).filter((one) => one.endsWith(` ${place}`));
    };
    expect(await of(pinned)).toEqual([`image-size: ${place}`]);
    expect(await of("evil.example/app:1")).toEqual(names.map((name) => `${name}: ${place}`));
  });
});
