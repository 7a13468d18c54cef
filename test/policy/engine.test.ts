import type {
  PolicyResource,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../policy/config/load";
import { policiesOf } from "../../policy/engine/policies";
import { Run } from "../../policy/engine/run";
import type { Resource } from "../../policy/model/resource";
import { rulesWith } from "../../policy/rules/list";
import { resourceOf, runPolicy, UNKNOWN } from "./harness";
import { claim, completeNamespace, deployment, namespace } from "./objects";

const RULES = rulesWith(async () => 1);
const CONTAINER = { name: "app", image: "nginx" };
const simple = {
  ...deployment,
  spec: { template: { spec: { containers: [CONTAINER] } } },
};

/** The policies of a stack with this configuration, as the engine gets them. */
function policies(config: object = {}, today = "2026-01-01") {
  const load = () => parseConfig("dev.json", JSON.stringify(config), RULES);
  return policiesOf(RULES, (stack) => new Run(stack, RULES, load, new Date(today)));
}

type Named = ReturnType<typeof policies>;
const resourcePolicies = (all: Named) =>
  all.filter((one): one is ResourceValidationPolicy => "validateResource" in one);

/** Evaluates the resources one by one, and then their stack. */
async function runAll(all: Named, resources: readonly Resource[]) {
  const shown: Record<string, string[]> = {};
  for (const resource of resources) {
    for (const policy of resourcePolicies(all)) {
      const { violations, warning } = await runPolicy(policy, resource);
      shown[policy.name] = [
        ...(shown[policy.name] ?? []),
        ...violations,
        ...(warning ? [`warning: ${warning}`] : []),
      ];
    }
  }
  for (const policy of all.filter((one): one is StackValidationPolicy => "validateStack" in one)) {
    shown[policy.name] = await runStack(policy, resources);
  }
  return shown;
}

async function runStack(policy: StackValidationPolicy, resources: readonly Resource[]) {
  const violations: string[] = [];
  const outputs = resources.map((resource) => ({
    ...resource,
    props: structuredClone(resource.props),
    opts: { protect: resource.protect },
  })) as unknown as PolicyResource[];
  const args = { resources: outputs, stackTags: new Map(), getConfig: () => ({}) };
  await policy.validateStack(args as never, (message) => violations.push(message));
  return violations;
}

const rulesIn = (messages: readonly string[] = []) => [
  ...new Set(messages.map((message) => message.split(":")[0])),
];

test("each finding is reported by the policy of its pack and level", async () => {
  const shown = await runAll(policies(), [resourceOf({ ...simple, kind: "Deployment" })]);
  expect(rulesIn(shown.baseline)).toEqual([]);
  expect(rulesIn(shown.restricted)).toEqual([
    "privilege-escalation",
    "capabilities-dropped",
    "run-as-non-root",
    "seccomp-profile",
  ]);
  expect(rulesIn(shown.platform)).toContain("image-digest");
  expect(rulesIn(shown["platform-advice"])).toEqual(["high-user-id"]);
});

describe("a field that is not known yet", () => {
  const unclear = resourceOf({
    ...simple,
    spec: {
      template: { spec: { containers: [{ ...CONTAINER, image: UNKNOWN }, CONTAINER] } },
    },
  });

  test("is reported as a warning, in addition to the findings for other fields", async () => {
    const shown = await runAll(policies(), [unclear]);
    const images = (shown.platform ?? []).filter((message) => message.includes("image-digest"));
    expect(images[0]).toMatch(/^image-digest: spec\.template\.spec\.containers\[1\]\.image is not/);
    expect(images[1]).toMatch(
      /^warning: .*image-digest needs spec\.template\.spec\.containers\[0\]\.image of subject/,
    );
    expect(images).toHaveLength(2);
  });

  test("is checked by the update", async () => {
    const all = policies();
    await runAll(all, [unclear]);
    const shown = await runAll(all, [resourceOf(simple)]);
    expect(shown.platform?.join()).toContain("containers[0].image is not pinned");
  });
});

test("a stack is evaluated with its inputs, not with defaults of the API server", async () => {
  const all = policies();
  const written = completeNamespace.map((value) =>
    resourceOf(value, { name: `${value.kind}`, protect: true }),
  );
  for (const resource of written) {
    for (const policy of resourcePolicies(all)) {
      await runPolicy(policy, resource);
    }
  }
  const emptied = written.map((resource) => ({ ...resource, props: {} }));
  const [stack] = all.filter((one): one is StackValidationPolicy => "validateStack" in one);
  expect(stack && (await runStack(stack, emptied))).toEqual([]);
});

describe("levels", () => {
  test("an advisory rule can be made mandatory, or disabled", async () => {
    const raised = await runAll(policies({ levels: { "high-user-id": "mandatory" } }), [
      resourceOf(simple),
    ]);
    expect(rulesIn(raised.platform)).toContain("high-user-id");
    expect(raised["platform-advice"]).toEqual([]);
    const off = await runAll(policies({ levels: { "high-user-id": "off" } }), [resourceOf(simple)]);
    expect([off.platform, off["platform-advice"]].flat().join()).not.toContain("high-user-id");
  });

  test.each(["advisory", "off"])("a mandatory rule can't be made %s", async (level) => {
    await expect(
      runAll(policies({ levels: { "image-digest": level } }), [resourceOf(simple)]),
    ).rejects.toThrow(/dev\.json: levels\.image-digest: the rule is mandatory; write an exemption/);
  });

  test("a policy that the command line disabled stops the run", async () => {
    const all = policies().filter(({ name }) => name !== "restricted");
    await expect(runAll(all, [resourceOf(simple)])).rejects.toThrow(
      /restricted are mandatory and were disabled/,
    );
  });
});

describe("exemptions", () => {
  const exemption = {
    rules: ["protected-data"],
    object: "PersistentVolumeClaim/team/app",
    reason: "The data is copied from elsewhere every night.",
    owner: "team",
    expires: "2026-03-31",
  };
  const resources = [resourceOf(claim), resourceOf(namespace, { name: "namespace" })];
  const said = async (changes: object, today?: string) => {
    const config = { exemptions: [{ ...exemption, ...changes }] };
    const shown = await runAll(policies(config, today), resources);
    return {
      protected: (shown.platform ?? []).filter((message) => message.startsWith("protected-data")),
      expired: (shown.stack ?? []).filter((message) => message.startsWith("exemption")),
      unused: (shown["stack-advice"] ?? []).filter((message) => message.startsWith("exemption")),
    };
  };

  test.each(["PersistentVolumeClaim/team/app", "*Claim/team/subject", "Persistent*/*/sub*"])(
    "%s applies to one object, and no other",
    async (object) => {
      const { protected: found, expired, unused } = await said({ object });
      expect({ findings: found.length, expired, unused }).toEqual({
        findings: 1,
        expired: [],
        unused: [],
      });
    },
  );

  test("an expired one does not apply, and is a finding", async () => {
    const found = await said({}, "2026-04-01");
    expect(found.protected).toHaveLength(2);
    expect(found.expired).toEqual([
      "exemption: the exemption of PersistentVolumeClaim/team/app expired on 2026-03-31. Its owner, team, must remove or renew it.",
    ]);
    expect((await said({}, "2026-03-31")).expired).toEqual([]);
  });

  test.each([
    ["another rule", { rules: ["bare-pod"] }],
    ["another object", { object: "PersistentVolumeClaim/other/app" }],
  ])("one for %s does not apply, and is a finding", async (_, changes) => {
    const found = await said(changes);
    expect(found.protected).toHaveLength(2);
    expect(found.unused).toEqual([
      expect.stringMatching(/is not used\. Its owner, team, must remove/),
    ]);
  });
});
