import { expect, test } from "vitest";
import { RESOURCE_GROUPS, STACK_GROUPS } from "../../policy/engine/policies";
import { Run } from "../../policy/engine/run";
import { rulesWith } from "../../policy/rules/list";
import { stackFile } from "../support/stacks";
import { resourcesOf } from "./program";

const rules = rulesWith(async () => 1);

/** Everything that the pack says of the program with the configuration of one stack. */
async function findings(name: "dev" | "platform" | "team"): Promise<string[]> {
  const resources = await resourcesOf(stackFile(name));
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

test.each(["dev", "platform", "team"] as const)("stack %s passes", async (name) => {
  expect(await findings(name)).toEqual([]);
});
