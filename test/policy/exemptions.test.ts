import { expect, test } from "vitest";
import { evaluate, evaluateStack, type Finding } from "../../policy/engine/evaluate";
import { Exemptions } from "../../policy/engine/exemptions";
import { caseOf } from "../../policy/engine/subjects";
import { PLATFORM_EXEMPTIONS } from "../../policy/exemptions";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import type { Resource } from "../../policy/model/resource";
import { stackOf } from "../../policy/model/stack";
import { rulesWith } from "../../policy/rules/list";
import { fullStack } from "../support/stacks";
import { DEFAULTS, resourceOf } from "./harness";
import { deployment, namespace, podSpec } from "./objects";
import { resourcesOf } from "./program";

const RULES = rulesWith(async () => 1);
const TODAY = "2026-01-01";

async function findings(resources: readonly Resource[]): Promise<Finding[]> {
  const reports = await Promise.all(
    resources.map((resource) => evaluate(RULES, caseOf(resource), DEFAULTS)),
  );
  reports.push(evaluateStack(RULES, stackOf(resources), DEFAULTS));
  return reports.flatMap((report) => report.findings);
}

test("each rule of the platform's exemptions lifts something where every part is installed", async () => {
  const stack = fullStack();
  stack.config.platform.devicePlugin.migStrategy = "single";
  const exemptions = new Exemptions([], PLATFORM_EXEMPTIONS, TODAY);
  for (const finding of await findings(await resourcesOf(stack))) {
    exemptions.covers(finding);
  }
  expect(exemptions.unused()).toEqual([]);
});

const privileged = { capabilities: { add: ["SYS_ADMIN"] }, runAsUser: 0 };
const plugin = {
  ...deployment,
  kind: "DaemonSet",
  metadata: { ...deployment.metadata, name: "evil-device-plugin" },
  spec: {
    template: {
      spec: {
        ...podSpec,
        containers: [{ ...podSpec.containers?.[0], securityContext: privileged }],
        volumes: [{ name: "root", hostPath: { path: "/" } }],
      },
    },
  },
} as KubernetesValue;
const room = {
  ...namespace,
  metadata: { name: "evil-device-plugin-namespace", labels: {} },
};

test.each([
  [plugin, "kubernetes:apps/v1:DaemonSet", "host-path-volumes"],
  [room, "kubernetes:core/v1:Namespace", "default-deny-ingress"],
])("they lift nothing for who only picks the same name (%#)", async (value, type, rule) => {
  const exemptions = new Exemptions(PLATFORM_EXEMPTIONS, [], TODAY);
  const left = async (chain: string) => {
    const urn = `urn:pulumi:dev::ml-platform::${chain}${type}::${value.metadata?.name}`;
    const name = `${value.metadata?.name}`;
    const all = await findings([resourceOf(value, { type, urn, name })]);
    return all.filter((one) => !exemptions.covers(one)).map((one) => one.rule.name);
  };
  expect(await left("")).toContain(rule);
  expect(await left("mlplatform:team:Team$")).toContain(rule);
  expect(await left("mlplatform:platform:DevicePlugin$mlplatform:team:Team$")).toContain(rule);
  expect(
    await left("mlplatform:platform:Platform$mlplatform:platform:DevicePlugin$"),
  ).not.toContain(rule);
});

test("an exemption that lifts one of its rules names the others as idle", async () => {
  const own = {
    rules: ["run-as-user", "bare-pod"],
    object: "DaemonSet/team/evil-*",
    reason: "The plugin is to be replaced by the platform's.",
    owner: "team",
    expires: "2026-03-31",
  };
  const exemptions = new Exemptions([], [own], TODAY);
  const found = await findings([resourceOf(plugin)]);
  expect(found.filter((one) => exemptions.covers(one)).map(({ rule }) => rule.name)).toEqual([
    "run-as-user",
  ]);
  expect(exemptions.unused()).toEqual([
    "exemption: the one of DaemonSet/team/evil-* from bare-pod lifts nothing. Its owner, team, removes it.",
  ]);
});
