import { expect, test } from "vitest";
import { loadConfig } from "../../policy/config/load";
import { RESOURCE_GROUPS, STACK_GROUPS } from "../../policy/engine/policies";
import { Run } from "../../policy/engine/run";
import { rulesWith } from "../../policy/rules/list";
import { stackFile } from "../support/stacks";
import { resourcesOf } from "./program";

const rules = rulesWith(async () => 1);

type Name = "dev" | "platform" | "team";

/** All findings of the pack for the program with the configuration of one stack. */
async function findings(
  name: Name,
  stack = stackFile(name),
  load: typeof loadConfig = loadConfig,
): Promise<string[]> {
  const resources = await resourcesOf(stack);
  const run = new Run(name, rules, load);
  const said: string[] = [];
  for (const resource of resources) {
    run.add(resource);
  }
  for (const group of RESOURCE_GROUPS) {
    for (const resource of resources) {
      const { findings, unknown } = await run.evaluate(group, resource.urn);
      said.push(...findings.map(({ message }) => `${resource.name}: ${message}`), ...unknown);
    }
  }
  run.addStack(resources);
  for (const group of STACK_GROUPS) {
    const report = run.evaluateStack(group);
    said.push(
      ...report.findings.map(({ message, resource }) => `${resource.name}: ${message}`),
      ...report.unknown,
      ...run.exemptionProblems(group.level),
    );
  }
  return said;
}

test.each<Name>(["dev", "platform", "team"])("stack %s passes", async (name) => {
  expect(await findings(name)).toEqual([]);
});

/** A stack that is to be destroyed with its data, as the message of the command describes. */
test.each<Name>(["platform", "team"])(
  "stack %s gives up its data with changes of both files",
  async (name) => {
    const stack = stackFile(name);
    stack.config.retainData = false;
    const byOne = await findings(name, stack);
    expect(byOne.length).toBeGreaterThan(0);
    for (const finding of byOne) {
      expect(finding).toMatch(/protected-data.*retainData.*policy\/stacks\/STACK\.json/s);
    }
    const both: typeof loadConfig = (...args) => ({ ...loadConfig(...args), retainData: false });
    expect(await findings(name, stack, both)).toEqual([]);
  },
);
