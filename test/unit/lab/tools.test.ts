import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pins } from "../../../lab/tools/pins";
import { versionInRange } from "../../../toolchain/on-path";
import { pins as pulumiPins } from "../../../toolchain/pins";
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

describe("modules with common packages", () => {
  /** The lines about a dependency in the `go.mod` of a tool: the required version, and the version in its place. */
  const linesAbout = (dependency: string, { folder }: { readonly folder: string }) =>
    readFileSync(join(folder, "go.mod"), "utf8")
      .split("\n")
      .map((line) =>
        line
          .replace(/^replace /, "")
          .replace(" // indirect", "")
          .trim(),
      )
      .filter((line) => line.startsWith(`${dependency} `))
      .sort();

  // Both versions are part of the key of a package in Go's build cache.
  it.each(["api", "apimachinery", "client-go", "kube-openapi"])(
    "require and replace k8s.io/%s in the same versions, so that it is compiled once",
    (name) => {
      const expected = linesAbout(`k8s.io/${name}`, pins.kubelet.module);
      expect(expected).toHaveLength(2);
      for (const pin of [pins["cert-manager"], pulumiPins["pulumi-resource-kubernetes"]]) {
        expect(linesAbout(`k8s.io/${name}`, pin.module)).toEqual(expected);
      }
    },
  );
});
