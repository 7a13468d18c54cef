import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { withWeights } from "../../../../cli/promote/weights";
import { ROOT } from "../../../../cli/stack";

const text = readFileSync(join(ROOT, "Pulumi.team.yaml"), "utf8");

test("only the weights in a stack file are changed", () => {
  const after = withWeights(text, "card-fraud", { main: 0, candidate: 100 });
  const lines = (content: string) => content.split("\n");
  const changed = lines(after).filter((line, index) => line !== lines(text)[index]);
  expect(changed.map((line) => line.trim())).toEqual(["weight: 0", "weight: 100"]);
  const [model] = parse(after).config["ml-platform:team"].models;
  expect(model.variants.map(({ weight }: { weight: number }) => weight)).toEqual([0, 100]);
  expect(withWeights(after, "card-fraud", { main: 90, candidate: 10 })).toBe(text);
});

test("weights are set by the names of variants, in any order", () => {
  const swapped = file("[{ name: b, weight: 1 }, { name: a, weight: 2 }]");
  expect(withWeights(swapped, "cards", { a: 30, b: 70 })).toBe(
    file("[{ name: b, weight: 70 }, { name: a, weight: 30 }]"),
  );
});

/** A stack file with these variants. */
function file(variants: string, before = ""): string {
  return `${before}config:\n  ml-platform:team:\n    models:\n      - name: cards\n        variants: ${variants}\n`;
}

test.each([
  ["an alias", file("[{ name: a, weight: *w }, { name: b, weight: 1 }]", "w: &w 9\n")],
  ["an anchor", file("[{ name: a, weight: &w 9 }, { name: b, weight: *w }]")],
  [
    "an anchor that another key uses",
    file("&v [{ name: a, weight: 9 }, { name: b, weight: 1 }]\nkept: *v"),
  ],
  ["a merge key", file("[{ <<: *d, name: a }, { name: b, weight: 1 }]", "d: &d { weight: 9 }\n")],
  [
    "an alias for all variants",
    file("*v", "v: &v [{ name: a, weight: 9 }, { name: b, weight: 1 }]\n"),
  ],
  ["no weight", file("[{ name: a }, { name: b, weight: 1 }]")],
  ["another variant", file("[{ name: a, weight: 1 }, { name: b, weight: 1 }, { name: c }]")],
  ["a missing variant", file("[{ name: a, weight: 1 }]")],
])("weights of a file with %s are refused", (_, content) => {
  expect(() => withWeights(content, "cards", { a: 50, b: 50 })).toThrow(
    /the weights of cards cannot be changed alone; write a and b in the stack file/,
  );
});

test("weights of a model that does not exist are an error", () => {
  expect(() => withWeights(text, "cards", { main: 1 })).toThrow(/cannot be changed alone/);
});
