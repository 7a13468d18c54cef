import { describe, expect, test } from "vitest";
import { evaluate, evaluateStack, type Finding } from "../../policy/engine/evaluate";
import { Exemptions } from "../../policy/engine/exemptions";
import { caseOf } from "../../policy/engine/subjects";
import type { BuiltInExemption } from "../../policy/exemptions/built-in";
import { BUILT_IN_EXEMPTIONS } from "../../policy/exemptions/list";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import { ancestorTypes, type Resource } from "../../policy/model/resource";
import { stackOf } from "../../policy/model/stack";
import { prepare } from "../../policy/model/unknown";
import { rulesWith } from "../../policy/rules/list";
import { fullStack } from "../support/stacks";
import { DEFAULTS, resourceOf, UNKNOWN } from "./harness";
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

/** A built-in exemption as an exemption of the stack, whose use is recorded. */
const asOwn = (exemption: BuiltInExemption) => ({
  ...exemption,
  owner: "platform team",
  expires: TODAY,
});

/** The release that the plugin of Pulumi's component for cert-manager creates, in a process of its own. */
const CERT_MANAGER_RELEASE: Resource = {
  type: "kubernetes:helm.sh/v3:Release",
  name: "platform-cert-manager-helm",
  urn: "urn:pulumi:dev::ml-platform::mlplatform:platform:Platform$mlplatform:platform:CertManager$kubernetes-cert-manager:index:CertManager$kubernetes:helm.sh/v3:Release::platform-cert-manager-helm",
  protect: false,
  props: { chart: "cert-manager" },
};

test("each rule of the built-in exemptions is used if every feature is installed", async () => {
  const stack = fullStack();
  stack.config.platform.devicePlugin.migStrategy = "single";
  const exemptions = new Exemptions([], BUILT_IN_EXEMPTIONS.map(asOwn), TODAY);
  const resources = [...(await resourcesOf(stack)), CERT_MANAGER_RELEASE];
  for (const finding of await findings(resources)) {
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
const pluginNamespace = {
  ...namespace,
  metadata: { name: "evil-device-plugin-namespace", labels: {} },
};

const PLATFORM = "mlplatform:platform:Platform";
const DEVICE_PLUGIN = "mlplatform:platform:DevicePlugin";
const TEAM = "mlplatform:team:Team";
const CHART = "kubernetes:helm.sh/v4:Chart";

/** An object as the resource that these ancestors have, the outermost first. */
function below(ancestors: readonly string[], value: KubernetesValue): Resource {
  const { type } = resourceOf(value);
  const name = `${value.metadata?.name}`;
  const urn = `urn:pulumi:dev::ml-platform::${[...ancestors, type].join("$")}::${name}`;
  return resourceOf(value, { urn, name });
}

/** The rules whose findings in a resource no exemption covers. */
async function rulesLeft(exemptions: Exemptions, resource: Resource): Promise<string[]> {
  prepare(resource.props, resource.name);
  const all = await findings([resource]);
  return all.filter((one) => !exemptions.covers(one)).map(({ rule }) => rule.name);
}

describe.each([
  [plugin, "host-path-volumes"],
  [pluginNamespace, "default-deny-ingress"],
])("the built-in exemptions (%#)", (value, rule) => {
  const exemptions = new Exemptions(BUILT_IN_EXEMPTIONS, [], TODAY);

  test.each([
    ["in the component", [PLATFORM, DEVICE_PLUGIN]],
    ["in only the component", [DEVICE_PLUGIN]],
    ["in a chart in the component", [PLATFORM, DEVICE_PLUGIN, CHART]],
    ["in a group of objects in a chart", [DEVICE_PLUGIN, CHART, "kubernetes:yaml/v2:ConfigGroup"]],
  ])("apply to an object %s", async (_, ancestors) => {
    expect(await rulesLeft(exemptions, below(ancestors, value))).not.toContain(rule);
  });

  test.each([
    ["without a parent", []],
    ["in another component", [PLATFORM, TEAM]],
    ["in a chart without a component", [CHART]],
    ["in a component whose type begins with the same word", [`${DEVICE_PLUGIN}s`]],
    ["in a component whose type ends with the same word", [`other-${DEVICE_PLUGIN}`]],
  ])("do not apply to an object of the same name %s", async (_, ancestors) => {
    expect(await rulesLeft(exemptions, below(ancestors, value))).toContain(rule);
  });
});

test("a built-in exemption does not apply to the component itself", async () => {
  const type = DEVICE_PLUGIN;
  const resource = resourceOf(plugin, { urn: `urn:pulumi:dev::ml-platform::${type}::a` });
  const exemptions = new Exemptions(BUILT_IN_EXEMPTIONS, [], TODAY);
  expect(await rulesLeft(exemptions, resource)).toContain("host-path-volumes");
});

test("the exemption of the platform's namespace does not apply to namespaces of other components", async () => {
  const exemptions = new Exemptions(BUILT_IN_EXEMPTIONS, [], TODAY);
  const left = (name: string, ...ancestors: string[]) =>
    rulesLeft(exemptions, below([PLATFORM, ...ancestors], { ...namespace, metadata: { name } }));
  expect(await left("platform-namespace")).not.toContain("default-deny-egress");
  expect(await left("platform-cert-manager-namespace", CHART)).toContain("default-deny-egress");
});

test.each([
  ["metadata", { ...plugin, metadata: UNKNOWN }],
  ["name", { ...plugin, metadata: { ...plugin.metadata, name: UNKNOWN } }],
] as unknown as [string, KubernetesValue][])(
  "an object whose %s is not known yet is exempt by the name of its resource",
  async (_, value) => {
    const exemptions = new Exemptions(BUILT_IN_EXEMPTIONS, [], TODAY);
    const left = async (name: string) => {
      const { urn } = below([DEVICE_PLUGIN, CHART], plugin);
      return rulesLeft(exemptions, resourceOf(value, { urn, name }));
    };
    expect(await left("nvidia-device-plugin")).not.toContain("host-path-volumes");
    expect(await left("other")).toContain("host-path-volumes");
  },
);

test.each([
  ["urn:pulumi:dev::p::kubernetes:core/v1:Pod::a", []],
  [`urn:pulumi:dev::p::${PLATFORM}$kubernetes:core/v1:Pod::a`, [PLATFORM]],
  [`urn:pulumi:dev::p::${PLATFORM}$${CHART}$kubernetes:core/v1:Pod::a$b::c`, [PLATFORM, CHART]],
  ["", []],
])("the ancestors of %s are read from its URN", (urn, ancestors) => {
  expect(ancestorTypes({ urn })).toEqual(ancestors);
});

const own = {
  rules: ["run-as-user", "bare-pod"],
  object: "DaemonSet/team/evil-*",
  reason: "The plugin is to be replaced by the platform's.",
  owner: "team",
  expires: "2026-03-31",
};

test("an exemption of which one rule is used names the others as not used", async () => {
  const exemptions = new Exemptions([], [own], TODAY);
  const found = await findings([resourceOf(plugin)]);
  expect(found.filter((one) => exemptions.covers(one)).map(({ rule }) => rule.name)).toEqual([
    "run-as-user",
  ]);
  expect(exemptions.unused()).toEqual([
    "exemption: the exemption of DaemonSet/team/evil-* from bare-pod is not used. Its owner, team, must remove it.",
  ]);
});

test("an exemption of the stack can name a chart, at any depth", async () => {
  const exemptions = new Exemptions([], [{ ...own, component: CHART }], TODAY);
  const left = (...ancestors: string[]) => rulesLeft(exemptions, below(ancestors, plugin));
  expect(await left(CHART)).not.toContain("run-as-user");
  expect(await left(CHART, "kubernetes:yaml/v2:ConfigGroup")).not.toContain("run-as-user");
  expect(await left(DEVICE_PLUGIN)).toContain("run-as-user");
});

test("only the stack's exemptions expire", async () => {
  const exemptions = new Exemptions(BUILT_IN_EXEMPTIONS, [own], "2126-01-01");
  expect(exemptions.expired()).toEqual([
    "exemption: the exemption of DaemonSet/team/evil-* expired on 2026-03-31. Its owner, team, must remove or renew it.",
  ]);
  const left = await rulesLeft(exemptions, below([DEVICE_PLUGIN], plugin));
  expect(left).not.toContain("run-as-user");
});
