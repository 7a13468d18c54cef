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
