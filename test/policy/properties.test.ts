import { describe, expect, test } from "vitest";
import { rulesWith } from "../../policy/rules/list";
import { CASES } from "./cases/all";
import { type Changes, changed, said } from "./cases/case";
import { UNKNOWN } from "./harness";

const RULES = rulesWith(async () => 1);
const CANARY = "x7Qz-canary-9vKp";

/** The paths of all values in objects: of leaves only, or also of objects and lists. */
function places(node: unknown, which: "leaves" | "all", path = ""): string[] {
  if (typeof node !== "object" || node === null) {
    return [path];
  }
  const own = which === "all" && /\]\W/.test(path) ? [path] : [];
  return [
    ...own,
    ...Object.entries(node).flatMap(([key, value]) => places(value, which, `${path}[${key}]`)),
  ];
}

/** Paths of apiVersion and kind, without which rules cannot be evaluated. */
const isIdentity = (place: string) => /^\[\d+\]\[(apiVersion|kind)\]$/.test(place);

/** The path of a changed value and of its parents, except for whole objects and their apiVersion and kind. */
function fieldsAbove([place, value]: [string, unknown]): string[] {
  const keys = [...place.matchAll(/\[[^\]]+\]|[^.[\]]+/g)].map(
    ([key]) => `[${key.replace(/[[\]]/g, "")}]`,
  );
  return keys
    .map((_, index) => keys.slice(0, index + 1).join(""))
    .slice(1, value === undefined ? -1 : undefined)
    .filter((one) => !isIdentity(one));
}

/** All test objects of a rule, good and bad. */
function variants({ good, fails, passes = {} }: (typeof CASES)[string]) {
  const changes: Changes[] = [
    {},
    ...Object.values(passes),
    ...Object.values(fails).map(([change]) => change),
  ];
  return changes.map((change) => changed(good, change));
}

describe.each(Object.entries(CASES))("%s", (name, cases) => {
  const rules = RULES.filter((rule) => rule.name === name);
  const { good, passes = {}, options, config } = cases;

  test("has no violations for unknown fields", async () => {
    const stumbled: string[] = [];
    for (const values of [good, ...Object.values(passes).map((change) => changed(good, change))]) {
      for (const place of places(values, "all").filter((one) => !isIdentity(one))) {
        const unclear = changed(values, { [place]: UNKNOWN });
        const { problems, unknown } = await said(rules, unclear, options, config);
        expect({ place, problems }).toEqual({ place, problems: [] });
        stumbled.push(...unknown);
      }
    }
    // A rule for kinds and options of resources reads no field that could be unknown.
    const readsFields = !/^(bare-pod|api-version|opaque-|protected-data)/.test(name);
    expect(stumbled.length > 0).toBe(readsFields);
  });

  test("reports an unknown field whose known value would be a violation", async () => {
    for (const [changes] of Object.values(cases.fails)) {
      const values = changed(good, changes);
      for (const place of Object.entries(changes).flatMap(fieldsAbove)) {
        const { problems, unknown } = await said(
          rules,
          changed(values, { [place]: UNKNOWN }),
          options,
          config,
        );
        expect({ place, silent: problems.length + unknown.length === 0 }).toEqual({
          place,
          silent: false,
        });
      }
    }
  });

  test("evaluates objects with any field null", async () => {
    for (const values of variants(cases)) {
      for (const place of places(values, "all").filter((one) => !isIdentity(one))) {
        const { messages } = await said(rules, changed(values, { [place]: null }), options, config);
        expect(messages.filter((message) => message.includes("could not check"))).toEqual([]);
      }
    }
  });

  test("quotes no value", async () => {
    for (const values of variants(cases)) {
      for (const place of places(values, "leaves").filter((one) => !isIdentity(one))) {
        const secret = changed(values, { [place]: CANARY });
        const { messages } = await said(rules, secret, options, config);
        expect(messages.filter((message) => message.includes(CANARY.slice(0, 6)))).toEqual([]);
      }
    }
  });
});

test("no rule quotes a value of objects that are full of secrets", async () => {
  const values = Object.values(CASES).flatMap(({ good }) => good);
  const every = Object.fromEntries(
    places(values, "leaves")
      .filter((place) => !isIdentity(place))
      .map((place) => [place, CANARY]),
  );
  const { messages } = await said(RULES, changed(values, every));
  expect(messages.length).toBeGreaterThan(100);
  expect(messages.filter((message) => message.includes(CANARY.slice(0, 6)))).toEqual([]);
});
