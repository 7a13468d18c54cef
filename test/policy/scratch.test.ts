import { expect, test } from "vitest";
import { RESOURCE_RULES } from "../../policy/rules/resources";
import { problems } from "./harness";
import { deployment, podSpec } from "./objects";

const RULE = RESOURCE_RULES.filter(({ name }) => name === "scratch-limit");
const withVolume = (volume: object) => ({
  ...deployment,
  spec: { template: { spec: { ...podSpec, volumes: [volume] } } },
});

test.each<[string, object]>([
  ["a limit of null", { name: "tmp", emptyDir: { sizeLimit: null } }],
  ["a limit of zero, which is no limit", { name: "tmp", emptyDir: { sizeLimit: 0 } }],
  ["a limit that is not a quantity", { name: "tmp", emptyDir: { sizeLimit: "much" } }],
  ["no source, so that it is an emptyDir", { name: "tmp" }],
])("reports an emptyDir volume with %s", async (_, volume) => {
  expect(await problems(RULE, withVolume(volume))).toEqual([
    expect.stringMatching(/^scratch-limit: .*volumes\[0\]\.emptyDir has no sizeLimit/),
  ]);
});

test.each<[string, object]>([
  ["a limit", { name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
  ["another source", { name: "data", persistentVolumeClaim: { claimName: "data" } }],
])("accepts a volume with %s", async (_, volume) => {
  expect(await problems(RULE, withVolume(volume))).toEqual([]);
});
