import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Plan,
  parsePlan,
  progressLine,
  roughly,
  secondsLeft,
} from "../../../toolchain/progress";

describe("secondsLeft", () => {
  it.each([
    [1000, 0, 600, undefined],
    [1000, 500, 19, undefined],
    [1000, 19, 600, undefined],
    [1000, 500, 300, 300],
    [1000, 250, 100, 300],
    [1000, 1000, 300, 0],
  ])("of %d, %d are done after %d s: %s s", (total, done, seconds, left) => {
    expect(secondsLeft(total, done, seconds)).toBe(left);
  });

  it("is exact if the speed does not change", () => {
    const run = fc.record({
      total: fc.integer({ min: 100 }),
      share: fc.double({ min: 0.02, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(run, fc.integer({ min: 20, max: 10_000 }), ({ total, share }, seconds) => {
        const left = secondsLeft(total, total * share, seconds);
        if (left === undefined) {
          return;
        }
        expect(seconds + left).toBeCloseTo(seconds / share, 3);
      }),
    );
  });
});

describe("roughly", () => {
  it.each([
    [0, "less than a minute"],
    [29, "less than a minute"],
    [31, "about 1 min"],
    [400, "about 7 min"],
  ])("%d s: %s", (seconds, text) => {
    expect(roughly(seconds)).toBe(text);
  });
});

describe("parsePlan", () => {
  it("counts packages that are not built yet, by the size of their source, and links of targets", () => {
    const answer = [
      "false\truntime\t\t/go/runtime\ta.go\t",
      "true\texample.com/a\t\t/a\ta.go\tb.go\t",
      "true\texample.com/a/asm\t\t/asm\ta.go\ta.s",
      "true\texample.com/cmd/tool\t700\t/tool\tmain.go\t",
    ].join("\n");
    const sizes: string[] = [];
    const plan = parsePlan(
      answer,
      (folder, files) => {
        sizes.push(`${folder} ${files}`);
        return 1_000 * files.length;
      },
      new Map([["example.com/cmd/tool", "tool"]]),
    );
    expect(sizes).toEqual(["/a a.go,b.go", "/asm a.go,a.s", "/tool main.go"]);
    expect(plan).toEqual({
      packages: [
        { name: "example.com/a", weight: 8_000 },
        { name: "example.com/a/asm", weight: 8_000 },
        { name: "example.com/cmd/tool", weight: 7_000 },
      ],
      links: [{ name: "tool", weight: 700_000 }],
    });
  });
});

describe("progressLine", () => {
  const plan: Plan = {
    packages: ["a", "b", "c", "d"].map((name) => ({ name, weight: 1_000 })),
    links: [{ name: "tool", weight: 1_000 }],
  };
  const at = (begun: string[], seconds: number, linked: string[] = []) =>
    progressLine(plan, { begun, seconds, linked: new Set(linked), parallel: 2 });

  it("has no remaining time before the minimum time and work", () => {
    expect(at(["a", "b"], 5)).toBe("0 of 4 packages compiled, 0 of 1 tools linked, 5.0 s so far");
    expect(at(["a", "b", "c"], 15)).toMatch(/^1 of 4 .*, 15 s so far$/);
  });

  it("counts packages that are being compiled as not done", () => {
    expect(at(["a", "b", "c"], 60)).toMatch(/^1 of 4 packages compiled, .*, about 4 min left$/);
    expect(at(["a", "b", "c", "d"], 90)).toMatch(
      /^2 of 4 packages compiled, .*, about 2 min left$/,
    );
  });

  it("ends without remaining work", () => {
    const line = at(["a", "b", "c", "d"], 90, ["tool"]);
    expect(line).toBe("4 of 4 packages compiled, 1 of 1 tools linked, less than a minute left");
  });
});
