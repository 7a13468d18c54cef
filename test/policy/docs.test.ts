import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RULES } from "../../policy/rules/list";
import { CHECKS } from "./docs/checks";
import { configJsonSchema, withGenerated } from "./docs/readme";

const PACK = join(__dirname, "../../policy");
const HINT = "run `tsx test/policy/docs/write.ts`";

test("the tables of the README are up to date", () => {
  const readme = readFileSync(join(PACK, "README.md"), "utf8");
  expect(readme, HINT).toBe(withGenerated(readme));
  for (const { name } of RULES) {
    expect(readme, HINT).toContain(`| \`${name}\` |`);
  }
});

test("the JSON Schema of the configuration is up to date", () => {
  const schema = readFileSync(join(PACK, "config", "config.schema.json"), "utf8");
  expect(schema, HINT).toBe(configJsonSchema());
});

test("every rule covers a check, and every check without a rule has a reason", () => {
  const covering = CHECKS.flatMap(({ rules }) => rules);
  expect([...new Set(covering)].sort()).toEqual(RULES.map(({ name }) => name).sort());
  expect(CHECKS).toHaveLength(68);
  for (const { title, rules, without } of CHECKS) {
    expect({ title, said: rules.length > 0 !== (without !== undefined) }).toEqual({
      title,
      said: true,
    });
  }
});

test("every rule has a description and a remedy", () => {
  for (const { name, description, remedy } of RULES) {
    expect({ name, description }).toEqual({
      name,
      description: expect.stringMatching(/^[A-Z].*\.$/s),
    });
    expect({ name, remedy }).toEqual({ name, remedy: expect.stringMatching(/^[A-Z].*[.\]]$/s) });
  }
});
