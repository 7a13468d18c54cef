import { describe, expect, it } from "vitest";
import { pins } from "../../../lab/tools/pins";
import { versionInRange } from "../../../toolchain/on-path";
import { checkPins } from "../../support/pin-checks";

checkPins(pins, {
  // The module counts its versions in another way than the tool does.
  prometheus: "github.com/prometheus/prometheus v0.316.0",
  // Built with the plugins that the lab uses.
  coredns: `github.com/coredns/coredns v${pins.coredns.version}`,
});

describe("the tools of a lab", () => {
  it("take the node and the control plane of one minor version only", () => {
    const { range } = pins.kubelet.onPath!;
    expect(versionInRange("Kubernetes v1.34.9", range)).toBe(true);
    expect(versionInRange("Kubernetes v1.33.9", range)).toBe(false);
    expect(versionInRange("Kubernetes v1.35.0", range)).toBe(false);
  });

  it("are all of one module, so that what they share is compiled once", () => {
    expect(new Set(Object.values(pins).map(({ module }) => module)).size).toBe(1);
  });
});
