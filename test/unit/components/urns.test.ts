import { expect, test } from "vitest";
import { declare } from "../../support/declare";
import { fullStack, stackFile } from "../../support/stacks";
import urns from "./urns.json";

/**
 * The URNs that stacks of users have in their states. A resource with another URN would be deleted and created again: a
 * move needs an alias, and then an entry here.
 */
test.each([
  ["dev", stackFile("dev")],
  ["platform", stackFile("platform")],
  ["team", stackFile("team")],
  ["full", fullStack()],
] as const)("the resources of the stack %s keep their URNs", async (name, stack) => {
  const declared = (await declare(stack)).map(({ urn }) => urn).sort();
  expect(declared).toEqual(urns[name]);
});

/** Resources that were children of another resource in earlier versions: their old parents and names. */
const MOVED = [
  ["platform-prometheus-callers", "platform-network-prometheus"],
  ["platform-metrics-adapter-callers", "platform-network-adapter"],
];

test.each(MOVED)("%s has an alias for its old URN", async (name, old) => {
  const all = await declare(stackFile("dev"));
  const platform = all.find(({ type }) => type === "mlplatform:platform:Platform");
  const moved = all.find((one) => one.name === name);
  expect(moved?.options.aliases).toEqual([`${platform?.urn}::${old}`]);
});
