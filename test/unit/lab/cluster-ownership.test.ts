import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withMachineLock } from "../../../lab/cluster/ownership";
import { type Sandbox, sandbox } from "../../support/sandbox";

describe("work with the lock of the machine", () => {
  let box: Sandbox;
  beforeEach(() => {
    box = sandbox();
  });
  afterEach(() => box.remove());

  it("runs one after the other, and leaves no file in the locked folder", async () => {
    const steps: string[] = [];
    const work = (name: string) =>
      withMachineLock(async () => {
        steps.push(`${name} begins`);
        await delay(50);
        steps.push(`${name} ends`);
      }, box.folder);
    await Promise.all([work("one"), work("other")]);
    const [first, second] = steps[0] === "one begins" ? ["one", "other"] : ["other", "one"];
    const expected = [first, second].flatMap((name) => [`${name} begins`, `${name} ends`]);
    expect(steps).toEqual(expected);
    expect(readdirSync(box.folder)).toEqual([]);
  });
});
