import { describe, expect, it } from "vitest";
import { parseVersion, versionInRange } from "../../../toolchain/on-path";

describe("versions", () => {
  it.each([
    ["v3.250.0\n", [3, 250, 0]],
    ["buildctl github.com/moby/buildkit 0.34.2 abc", [0, 34, 2]],
    ["3.260.0-alpha.1", [3, 260, 0]],
    ["no version", undefined],
    ["1.34", undefined],
  ])("reads %j", (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });

  it.each([
    ["3.250.0", true],
    ["3.249.99", false],
    ["3.1000.0", true],
    ["4.0.0", false],
    ["2.999.0", false],
    ["", false],
  ])("%j in [3.250.0, 4.0.0): %s", (text, inside) => {
    expect(versionInRange(text, ["3.250.0", "4.0.0"])).toBe(inside);
  });
});
