import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { connectTo } from "../../../cli/http";
import { README, SCHEMA_FILE, stackFileSchema, withTable } from "../../../cli/schema";
import { environment, labOf, ROOT, stackConfig } from "../../../cli/stack";
import { rate } from "../../../cli/summary";
import { stackSchema } from "../../../components/config/schema";
import { CATALOGUE } from "../../../components/images/catalogue";
import { recipes } from "../../../lab/images/recipes";

const folder = mkdtempSync(join(tmpdir(), "stacks-"));
afterAll(() => rmSync(folder, { recursive: true }));

function stackFile(name: string, text: string): void {
  writeFileSync(join(folder, `Pulumi.${name}.yaml`), text);
}

describe("a stack file", () => {
  it("names a lab by the place of its kubeconfig", () => {
    stackFile("a", "config: {'ml-platform:cluster': {kubeconfig: .lab/dev/kubeconfig}}");
    stackFile("b", "config: {'ml-platform:cluster': {kubeconfig: ./.lab/x-1/kubeconfig}}");
    stackFile("c", "config: {'ml-platform:cluster': {kubeconfig: /home/me/.kube/config}}");
    stackFile("d", "config: {}");
    expect(["a", "b", "c", "d"].map((name) => labOf(name, folder))).toEqual([
      "dev",
      "x-1",
      undefined,
      undefined,
    ]);
  });

  it("is read for the program's own keys alone", () => {
    stackFile("e", "config: {'aws:team': {name: x}, 'ml-platform:team': {name: demo}}");
    expect(stackConfig("e", folder)).toEqual({ team: { name: "demo" } });
  });

  it("is asked for by name where it is missing", () => {
    expect(() => stackConfig("nope", folder)).toThrow(/Pulumi\.nope\.yaml.*--stack/);
  });

  it.each(["dev", "platform", "team"])("that the repository has, %s, passes the schema", (name) => {
    const { config } = parse(readFileSync(join(ROOT, `Pulumi.${name}.yaml`), "utf8"));
    const ours = Object.entries(config)
      .filter(([key]) => key.startsWith("ml-platform:"))
      .map(([key, value]) => [key.slice("ml-platform:".length), value]);
    expect(stackSchema.safeParse(Object.fromEntries(ours)).error?.issues).toBeUndefined();
  });
});

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
  ])("gives the empty passphrase to local stacks alone (%s, %j)", (local, base, expected) => {
    expect(environment(tools, local, base).PULUMI_CONFIG_PASSPHRASE).toBe(expected);
  });
});

describe("names below localhost", () => {
  it("are this machine, others are looked up", () => {
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
])("shows the metric %s as %s", (quantity, text) => {
  expect(rate(quantity)).toBe(text);
});

describe("what is generated from the schema", () => {
  it("is up to date: the editors' schema", () => {
    expect(JSON.parse(readFileSync(SCHEMA_FILE, "utf8"))).toEqual(stackFileSchema());
  });

  it("is up to date: the README's table", () => {
    const readme = readFileSync(README, "utf8");
    expect(withTable(readme)).toBe(readme);
  });
});

it("finds every image that the dev stack needs among those that a lab provides", () => {
  const provided = recipes.map(({ reference }) => reference);
  const { devicePlugin: _gpu, ...needed } = CATALOGUE;
  expect(provided).toEqual(expect.arrayContaining(Object.values(needed)));
});
