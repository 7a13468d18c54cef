import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectTo } from "../../../../cli/common/http";
import { ROOT } from "../../../../cli/common/root";
import { environment } from "../../../../cli/stack";
import { README, SCHEMA_FILE, stackFileSchema, withTable } from "../../../../cli/stack/schema";
import { rate } from "../../../../cli/stack/summary";
import { CATALOGUE } from "../../../../components/images/catalogue";
import { recipes } from "../../../../lab/images/recipes";

describe("Pulumi's environment", () => {
  const tools = { command: "/t/pulumi", binDirs: ["/t", "/p"] };

  it("has the tools first on PATH", () => {
    expect(environment(tools, false, { PATH: "/bin" }).PATH?.split(delimiter)).toEqual([
      "/t",
      "/p",
      join(ROOT, "node_modules", ".bin"),
      "/bin",
    ]);
  });

  it.each([
    [true, {}, ""],
    [true, { PULUMI_CONFIG_PASSPHRASE: "mine" }, undefined],
    [true, { PULUMI_CONFIG_PASSPHRASE_FILE: "/f" }, undefined],
    [false, {}, undefined],
  ])(
    "has an empty passphrase only for local stacks without another one (%s, %j)",
    (local, base, expected) => {
      expect(environment(tools, local, base).PULUMI_CONFIG_PASSPHRASE).toBe(expected);
    },
  );
});

describe("a host name below localhost", () => {
  it("is this machine, and other names are resolved", () => {
    expect(connectTo(new URL("http://m.demo.localhost:8080/x"))).toEqual({
      host: "127.0.0.1",
      port: 8080,
    });
    expect(connectTo(new URL("https://m.localhost.example.com"))).toEqual({
      host: "m.localhost.example.com",
      port: 443,
    });
  });
});

it.each([
  ["1500m", "1.5"],
  ["50", "50"],
  [12, "12"],
  [undefined, "no"],
])("the metric %s is printed as %s", (quantity, text) => {
  expect(rate(quantity)).toBe(text);
});

describe("a file that is generated from the schema", () => {
  it("is up to date: the JSON Schema for editors", () => {
    expect(JSON.parse(readFileSync(SCHEMA_FILE, "utf8"))).toEqual(stackFileSchema());
  });

  it("is up to date: the table of the README", () => {
    const readme = readFileSync(README, "utf8");
    expect(withTable(readme)).toBe(readme);
  });
});

it("a lab has every image that the dev stack needs", () => {
  const provided = recipes.map(({ reference }) => reference);
  const { devicePlugin: _gpu, ...needed } = CATALOGUE;
  expect(provided).toEqual(expect.arrayContaining(Object.values(needed)));
});
