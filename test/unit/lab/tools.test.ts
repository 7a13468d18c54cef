import { describe, expect, it } from "vitest";
import { pins } from "../../../lab/tools/pins";
import { versionInRange } from "../../../toolchain/on-path";
import { checkPins } from "../../support/pin-checks";

checkPins(pins, {
  // The module counts its versions in another way than the tool does.
  prometheus: "github.com/prometheus/prometheus v0.316.0",
  // Built with the plugins that the lab uses.
  coredns: `github.com/coredns/coredns v${pins.coredns.version}`,
  // Five commands in one, without clients of clouds.
  "cert-manager": `github.com/cert-manager/cert-manager v${pins["cert-manager"].version}`,
});

describe("the tools of a lab", () => {
  it("take the node and the control plane of one minor version only", () => {
    const { range } = pins.kubelet.onPath!;
    expect(versionInRange("Kubernetes v1.34.9", range)).toBe(true);
    expect(versionInRange("Kubernetes v1.33.9", range)).toBe(false);
    expect(versionInRange("Kubernetes v1.35.0", range)).toBe(false);
  });

  it("are of one module, so that what they share is compiled once, but for cert-manager and the server it is tested with", () => {
    const apart = Object.entries(pins).filter(([, { module }]) => module !== pins.kubelet.module);
    expect(apart.map(([name]) => name)).toEqual(["pebble", "cert-manager"]);
    expect(pins.pebble.module).toBe(pins["cert-manager"].module);
  });

  it("tell the version that they are built from", () => {
    const [value] = pins["cert-manager"].values;
    expect(value).toMatch(new RegExp(`\\.AppVersion=v${pins["cert-manager"].version}$`));
  });
});
