import { describe, expect, test } from "vitest";
import { rulesWith } from "../../policy/rules/list";
import { CASES } from "./cases/all";
import { changed, said } from "./cases/case";

const RULES = rulesWith(async () => 1);
/** Rules with separate test files. */
const ELSEWHERE = /^(image-(size|manifest)|dockerfile|credential-in-stack-file)/;

const ruleOf = (name: string) => RULES.filter((rule) => rule.name === name);

test("every rule has cases, and all cases belong to a rule", () => {
  const names = RULES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(CASES).sort()).toEqual(names.filter((name) => !ELSEWHERE.test(name)).sort());
});

describe.each(Object.entries(CASES))("%s", (name, { good, options, config, ...cases }) => {
  const rules = ruleOf(name);
  const tryWith = async (values: typeof good, opts = options) =>
    (await said(rules, values, opts, config)).problems;

  test("has no violations for good objects", async () => {
    expect(await tryWith(good)).toEqual([]);
  });

  test.each(Object.entries(cases.passes ?? {}))("passes: %s", async (_, changes) => {
    expect(await tryWith(changed(good, changes))).toEqual([]);
  });

  test.each(Object.entries(cases.fails))("fails: %s", async (_, [changes, ...problems]) => {
    expect(await tryWith(changed(good, changes))).toEqual(problems);
  });

  if (cases.failsWith) {
    const [opts, ...problems] = cases.failsWith;
    test("fails for options of the resource", async () => {
      expect(await tryWith(good, { ...options, ...opts })).toEqual(problems);
    });
  }

  test("has a failing case", () => {
    expect(Object.keys(cases.fails).length + Number(cases.failsWith !== undefined)).toBeGreaterThan(
      0,
    );
  });
});
