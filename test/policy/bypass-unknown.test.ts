import { expect, test } from "vitest";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import { rulesWith } from "../../policy/rules/list";
import { evaluateResource, resourceOf, UNKNOWN } from "./harness";
import { deployment, inferenceService, podSpec } from "./objects";

const rulesNamed = (...names: string[]) =>
  rulesWith(async () => 1).filter(({ name }) => names.includes(name));
const bad = { containers: [{ name: "app", securityContext: { privileged: true } }] };
const PATH = "spec.template.spec.containers[0].securityContext.privileged";

/** The paths of findings, and the rules that could not be evaluated. */
async function findingsIn(
  value: KubernetesValue,
  rules = rulesNamed("privileged", "app-armor-profile"),
) {
  const { findings, unknown } = await evaluateResource(rules, resourceOf(value));
  return [...findings.map(({ message }) => message.split(" ")[1]), ...unknown];
}

const pods = { apiVersion: "v1", kind: "PodList" };

test.each<[string, KubernetesValue, string[]]>([
  [
    "a workload's template",
    { ...deployment, spec: { template: UNKNOWN } },
    ["every rule needs spec.template of subject"],
  ],
  [
    "a field of a custom resource",
    { ...inferenceService, spec: { predictor: UNKNOWN } },
    ["every rule needs spec.predictor of subject"],
  ],
  [
    "a template's metadata",
    { ...deployment, spec: { template: { metadata: UNKNOWN, spec: podSpec } } },
    ["app-armor-profile needs spec.template.metadata of subject"],
  ],
  [
    "a number of replicas",
    { ...deployment, spec: { replicas: UNKNOWN, template: { spec: bad } } },
    [PATH],
  ],
  [
    "one container of two",
    {
      ...deployment,
      spec: { template: { spec: { containers: [UNKNOWN, bad.containers[0]] } } },
    },
    [PATH.replace("[0]", "[1]"), "every rule needs spec.template.spec.containers[0] of subject"],
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
])("an unknown field is reported, and the others are checked: %s", async (_, value, expected) => {
  expect(await findingsIn(value)).toEqual(expected);
});

test("a volume that is not known yet may be an image", async () => {
  const spec = { ...podSpec, volumes: [{ name: "tmp", emptyDir: {} }, UNKNOWN] };
  const value = { ...deployment, spec: { template: { spec } } };
  expect(await findingsIn(value, rulesNamed("image-digest"))).toEqual([
    "every rule needs spec.template.spec.volumes[1] of subject",
  ]);
});
