import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CONFIG_VARIABLE, loadConfig, parseConfig } from "../../policy/config/load";
import { BUILT_IN_EXEMPTIONS } from "../../policy/exemptions/list";
import { rulesWith } from "../../policy/rules/list";
import { DEFAULTS } from "./harness";

const RULES = rulesWith(async () => 1);
const NOW = new Date("2026-01-01");
const folder = mkdtempSync(join(tmpdir(), "policy-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const exemption = {
  rules: ["bare-pod"],
  object: "Pod/team/app",
  reason: "It is here to be looked at by hand.",
  owner: "team",
  expires: "2026-03-31",
};

describe("the file of the configuration", () => {
  test("is optional, with defaults", () => {
    expect(loadConfig("nobody", RULES, folder, {})).toEqual(DEFAULTS);
  });

  test("has the name of the stack", () => {
    file("dev.json", '{"retainData": false}');
    expect(loadConfig("dev", RULES, folder, {}).retainData).toBe(false);
  });

  test("can be set by the environment variable", () => {
    const named = file("named.json", '{"images": {"registries": ["registry.example"]}}');
    const config = loadConfig("dev", RULES, folder, { [CONFIG_VARIABLE]: named });
    expect(config.images.registries).toEqual(["registry.example"]);
    expect(config.retainData).toBe(true);
  });

  test("must exist if the environment variable is set", () => {
    expect(() => loadConfig("dev", RULES, folder, { [CONFIG_VARIABLE]: "/none.json" })).toThrow(
      "Policy configuration /none.json: cannot be read (ENOENT); set ML_PLATFORM_POLICY_CONFIG to a file",
    );
  });
});

test.each<[string, unknown, string]>([
  ["a list", [], "expected object"],
  ["an unknown key", { retaindata: false }, '"retaindata"'],
  ["a wrong type", { retainData: "false" }, "retainData: Invalid input: expected boolean"],
  ["null", { images: null }, "images: Invalid input"],
  [
    "a size without a unit",
    { images: { budgets: { serving: "150" } } },
    "images.budgets.serving: must be a size such as 150MB",
  ],
  [
    "a size of zero",
    { resources: { ceiling: { cpu: "0" } } },
    "resources.ceiling.cpu: must be a Kubernetes quantity above 0",
  ],
  [
    "a negative quantity",
    { storage: { largest: "-1Gi" } },
    "storage.largest: must be a Kubernetes quantity above 0",
  ],
  ["a ratio below 1", { resources: { ratio: { cpu: 0.5 } } }, "resources.ratio.cpu"],
  ["an endless timeout", { images: { timeoutSeconds: 1e9 } }, "images.timeoutSeconds"],
  [
    "a type of Service that is not supported",
    { network: { serviceTypes: ["ExternalName"] } },
    "network.serviceTypes[0]",
  ],
  ["an unknown level", { levels: { spread: "mandatry" } }, "levels.spread"],
  [
    "a level for an unknown rule",
    { levels: { sprad: "mandatory" } },
    "levels.sprad: there is no such rule",
  ],
  [
    "a lower level for a mandatory rule",
    { levels: { spread: "off" } },
    "levels.spread: the rule is mandatory",
  ],
  [
    "an exemption from an unknown rule",
    { exemptions: [{ ...exemption, rules: ["bare-pods"] }] },
    "exemptions[0].rules[0]: there is no such rule",
  ],
  [
    "an exemption without rules",
    { exemptions: [{ ...exemption, rules: [] }] },
    "exemptions[0].rules",
  ],
  [
    "an exemption with an invalid pattern",
    { exemptions: [{ ...exemption, object: "app" }] },
    "exemptions[0].object: must be Kind/namespace/name",
  ],
  [
    "an exemption without a reason",
    { exemptions: [{ ...exemption, reason: "because" }] },
    "exemptions[0].reason",
  ],
  [
    "an exemption without an owner",
    { exemptions: [{ ...exemption, owner: "" }] },
    "exemptions[0].owner",
  ],
  [
    "an exemption without an expiry date",
    { exemptions: [{ ...exemption, expires: "never" }] },
    "exemptions[0].expires",
  ],
  [
    "an exemption for more than a year",
    { exemptions: [{ ...exemption, expires: "9999-12-31" }] },
    "exemptions[0].expires: must be within a year",
  ],
  ...["*/team/app", "Pod/team/*", "*/*/*", "P*/team/a*"].map(
    (object): [string, unknown, string] => [
      `an exemption of ${object}`,
      { exemptions: [{ ...exemption, object }] },
      "exemptions[0].object: must contain, in Kind and in name, three consecutive characters",
    ],
  ),
  [
    "an exemption for an invalid component type",
    { exemptions: [{ ...exemption, component: "DevicePlugin" }] },
    "exemptions[0].component: must be the type of a component",
  ],
  ["any registry", { images: { registries: ["*"] } }, "images.registries[0]: must contain"],
  [
    "any registry over HTTP",
    { images: { plainHttp: ["*:*"] } },
    "images.plainHttp[0]: must contain",
  ],
  ["any base", { images: { baseImages: ["**"] } }, "images.baseImages[0]: must contain"],
  ["a budget of all images", { images: { budgets: { images: { "*": "1GB" } } } }, "must contain"],
  [
    "a budget above the maximum",
    { images: { budgets: { serving: "999999GB" } } },
    "images.budgets.serving: must be at most 1GB",
  ],
  [
    "a budget of one image above the maximum",
    { images: { budgets: { images: { "*/app": "11GB" } } } },
    "must be at most 10GB",
  ],
  ["no labels", { labels: [] }, "labels: Too small"],
  [
    "disabling the report of images that could not be measured",
    { levels: { "image-size-unknown": "off" } },
    "levels.image-size-unknown: the rule can't be switched off",
  ],
  [
    "an exemption until an invalid date",
    { exemptions: [{ ...exemption, expires: "2026-02-30" }] },
    "exemptions[0].expires",
  ],
])("refuses %s", (_, config, problem) => {
  const parse = () => parseConfig("dev.json", JSON.stringify(config), RULES, NOW);
  expect(parse).toThrow("Policy configuration dev.json: ");
  expect(parse).toThrow(problem);
});

test.each([
  ["{", /dev\.json: is not JSON \(line 1 column 2\)$/],
  ['{"a": hunter22}', /dev\.json: is not JSON \([^"]*\)$/],
  ['{\n"labels": ["a"],\n"labels": []}', /dev\.json: has a repeated key \(line 3\)$/],
])("refuses text that is not JSON, and quotes nothing of it: %s", (text, message) => {
  expect(() => parseConfig("dev.json", text, RULES)).toThrow(message);
  expect(() => parseConfig("dev.json", text, RULES)).not.toThrow(/hunt/);
});

test("reports all problems together", () => {
  const config = { retainData: 1, images: { timeoutSeconds: 0 } };
  expect(() => parseConfig("dev.json", JSON.stringify(config), RULES)).toThrow(
    /retainData: .*; images\.timeoutSeconds: /,
  );
});

test("the configurations in the repository are valid", () => {
  const stacks = join(__dirname, "../../policy/stacks");
  const files = readdirSync(stacks).map((name) => join(stacks, name));
  expect(files).toContain(join(stacks, "dev.json"));
  for (const name of [...files, join(__dirname, "cost/config.json")]) {
    expect(() => parseConfig(name, readFileSync(name, "utf8"), RULES)).not.toThrow();
  }
});

test("the built-in exemptions are valid", () => {
  const own = BUILT_IN_EXEMPTIONS.map((one) => ({ ...one, owner: "team", expires: "2026-03-31" }));
  const config = JSON.stringify({ exemptions: own });
  expect(parseConfig("exemptions.ts", config, RULES, NOW).exemptions).toEqual(own);
});
