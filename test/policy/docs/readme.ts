import { z } from "zod";
import { configSchema } from "../../../policy/config/schema";
import { BUILT_IN_EXEMPTIONS } from "../../../policy/exemptions/list";
import { RULES } from "../../../policy/rules/list";
import type { Rule } from "../../../policy/rules/rule";
import { CASES } from "../cases/all";
import { CHECKS } from "./checks";

/** Rules with separate test files, whose cases are not counted. */
const OWN_TESTS: readonly (readonly [RegExp, string])[] = [
  [/^image-(size|manifest)/, "image-size.test.ts"],
  [/^dockerfile/, "dockerfile.test.ts"],
  [/^credential-in-stack-file$/, "stack-file.test.ts"],
];

/** The JSON Schema of a policy configuration, for editors. */
export function configJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(configSchema, { io: "input" }), null, 2)}\n`;
}

/** The README with updated generated parts. */
export function withGenerated(readme: string): string {
  const parts: Record<string, string> = {
    rules: rulesTable(),
    checks: checksTable(),
    exemptions: exemptionsTable(),
  };
  return Object.entries(parts).reduce(
    (text, [name, part]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end of ${name} -->)`),
        (_, begin, end) => `${begin}${part}\n${end}`,
      ),
    readme,
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function rulesTable(): string {
  return table(
    ["Rule", "Pack", "Level", "Requirement", "Standard", "Tests"],
    RULES.map((rule) => [
      `\`${rule.name}\``,
      rule.pack,
      rule.level,
      rule.description,
      rule.url === undefined ? "" : `[source](${rule.url})`,
      testsOf(rule),
    ]),
  );
}

function testsOf({ name, pack }: Rule): string {
  const own = OWN_TESTS.find(([pattern]) => pattern.test(name));
  if (own) {
    return `\`${own[1]}\``;
  }
  const { passes = {}, fails = {}, failsWith } = CASES[name] ?? {};
  const good = 1 + Object.keys(passes).length;
  const bad = Object.keys(fails).length + Number(failsWith !== undefined);
  return `${good} good, ${bad} bad${pack === "platform" ? "" : ", admission"}`;
}

function checksTable(): string {
  const covered = CHECKS.filter(({ rules }) => rules.length > 0).length;
  return [
    `${covered} of ${CHECKS.length} are covered.`,
    "",
    table(
      ["", "Check", "Rules"],
      CHECKS.map(({ title, rules, without }, index) => [
        `${index + 1}`,
        title,
        rules.map((name) => `\`${name}\``).join(", ") || `none: ${without}`,
      ]),
    ),
  ].join("\n");
}

function exemptionsTable(): string {
  return table(
    ["Below", "Object", "Rules", "Reason"],
    BUILT_IN_EXEMPTIONS.map(({ component, object, rules, reason }) => [
      `\`${component}\``,
      `\`${object}\``,
      rules.map((name) => `\`${name}\``).join(", "),
      reason,
    ]),
  );
}
