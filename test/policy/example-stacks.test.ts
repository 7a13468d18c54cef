import { expect, test } from "vitest";
import { RESOURCE_GROUPS, STACK_GROUPS } from "../../policy/engine/policies";
import { Run } from "../../policy/engine/run";
import type { Resource } from "../../policy/model/resource";
import { rulesWith } from "../../policy/rules/list";
import { type Inputs, run } from "../support/mocks";
import { stackFile } from "../support/stacks";

const rules = rulesWith(async () => 1);

/** Everything that the pack says of the program with the configuration of one stack. */
async function findings(name: "dev" | "platform" | "team"): Promise<string[]> {
  const { default: program } = await import("../../index");
  const { registrations, error } = await run(program, stackFile(name));
  expect(error).toBeUndefined();
  const resources: Resource[] = registrations.map(({ type, urn, name, inputs, options }) => ({
    type,
    urn,
    name,
    props: autonamed(name, inputs),
    protect: options.protect,
  }));
  const judged = new Run(name, rules);
  const said: string[] = [];
  for (const resource of resources) {
    judged.open(resource);
  }
  for (const group of RESOURCE_GROUPS) {
    for (const resource of resources) {
      const { findings, unknown } = await judged.judge(group, resource.urn);
      said.push(...findings.map(({ message }) => `${resource.name}: ${message}`), ...unknown);
    }
  }
  judged.openStack(resources);
  for (const group of STACK_GROUPS) {
    const report = judged.judgeStack(group);
    said.push(
      ...report.findings.map(({ message, resource }) => `${resource.name}: ${message}`),
      ...report.unknown,
      ...judged.exemptionProblems(group.level),
    );
  }
  return said;
}

/** What the provider does before anybody sees the inputs. */
function autonamed(name: string, inputs: Inputs): Inputs {
  return inputs.metadata
    ? { ...inputs, metadata: { name: `${name}-autonamed`, ...inputs.metadata } }
    : inputs;
}

test.each(["dev", "platform", "team"] as const)("stack %s passes", async (name) => {
  expect(await findings(name)).toEqual([]);
});
