import { describe, expect, it } from "vitest";
import { pins } from "../../../lab/tools/pins";
import { versionInRange } from "../../../toolchain/on-path";
import { checkPins } from "../../support/pin-checks";

checkPins(pins, {
  // The module has other version numbers than the tool.
  prometheus: "github.com/prometheus/prometheus v0.316.0",
  // Built with the plugins that the lab uses.
  coredns: `github.com/coredns/coredns v${pins.coredns.version}`,
  // Five commands in one, without clients of clouds.
  "cert-manager": `github.com/cert-manager/cert-manager v${pins["cert-manager"].version}`,
});

describe("the tools of a lab", () => {
  it("accept only one minor version for node and control plane", () => {
    const { range } = pins.kubelet.onPath!;
    expect(versionInRange("Kubernetes v1.34.9", range)).toBe(true);
    expect(versionInRange("Kubernetes v1.33.9", range)).toBe(false);
    expect(versionInRange("Kubernetes v1.35.0", range)).toBe(false);
  });

  it("are built from one module, so that common packages are compiled once, except for cert-manager and its test server", () => {
    const apart = Object.entries(pins).filter(([, { module }]) => module !== pins.kubelet.module);
    expect(apart.map(([name]) => name)).toEqual(["pebble", "cert-manager"]);
    expect(pins.pebble.module).toBe(pins["cert-manager"].module);
  });

  it("contain the version that they are built from", () => {
    const [value] = pins["cert-manager"].values;
    expect(value).toMatch(new RegExp(`\\.AppVersion=v${pins["cert-manager"].version}$`));
  });
});
