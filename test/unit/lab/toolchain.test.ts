import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { cacheRoot, duration } from "../../../lab/toolchain/cache";
import { missingPackages, serviceUnits } from "../../../lab/toolchain/debian";
import { folderOf } from "../../../lab/toolchain/go";
import { parseVersion, versionInRange } from "../../../lab/toolchain/on-path";
import { type GoPin, pinOf, toolNames } from "../../../lab/toolchain/pins";

const goPins = toolNames
  .map((name) => [name, pinOf(name)] as const)
  .filter((entry): entry is [(typeof entry)[0], GoPin] => entry[1].kind === "go");

const modulePins = goPins.filter(([, pin]) => pin.folder.startsWith("toolchain/modules/"));

/** Tools whose module counts its versions in another way than the tool does. */
const moduleVersions: Record<string, string> = {
  prometheus: "github.com/prometheus/prometheus v0.316.0",
  "pulumi-resource-kubernetes": "github.com/pulumi/pulumi-kubernetes/sdk/v4 v4.18.1",
};

describe("pins", () => {
  it.each(modulePins)("%s: go.mod requires the version that the pin names", (name, pin) => {
    const lines = readFileSync(join(folderOf(pin), "go.mod"), "utf8").split("\n");
    const requirements = lines.map((line) => line.replace("require", "").split("//")[0]!.trim());
    const expected = moduleVersions[name];
    const found = requirements.filter((requirement) => {
      const [module, version] = requirement.split(" ");
      if (expected) return requirement === expected;
      return pin.package.startsWith(module || "-") && version === `v${pin.version}`;
    });
    expect(found).toHaveLength(1);
  });

  it.each(modulePins.filter(([, pin]) => pin.package !== "."))(
    "%s: the package is a tool of its module, with checksums",
    (_name, pin) => {
      const goMod = readFileSync(join(folderOf(pin), "go.mod"), "utf8");
      expect(goMod).toMatch(new RegExp(`^(tool )?\\s*${pin.package}$`, "m"));
      expect(readFileSync(join(folderOf(pin), "go.sum"), "utf8")).toMatch(/ h1:/);
    },
  );

  it.each(modulePins)("%s: local replacements are in the folder", (_name, pin) => {
    const goMod = readFileSync(join(folderOf(pin), "go.mod"), "utf8");
    const paths = [...goMod.matchAll(/=> ([./]\S*)/g)].map((match) => match[1]!);
    for (const path of paths) {
      const target = resolve(folderOf(pin), path);
      expect(target.startsWith(`${folderOf(pin)}/`)).toBe(true);
      expect(existsSync(join(target, "go.mod"))).toBe(true);
    }
  });

  it.each(goPins)("%s: its own version is in the range that PATH may have", (_name, pin) => {
    if (pin.onPath) expect(versionInRange(pin.version, pin.onPath.range)).toBe(true);
    for (const value of pin.values ?? []) expect(value).toMatch(/^[\w./-]+\.[A-Za-z]+=v?[\d.]+$/);
  });

  it("takes the node and the control plane of one minor version only", () => {
    const { onPath } = pinOf("kubelet") as GoPin;
    expect(versionInRange("Kubernetes v1.34.9", onPath!.range)).toBe(true);
    expect(versionInRange("Kubernetes v1.33.9", onPath!.range)).toBe(false);
    expect(versionInRange("Kubernetes v1.35.0", onPath!.range)).toBe(false);
  });
});

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

describe("cacheRoot", () => {
  it.each([
    [{ ML_PLATFORM_CACHE: "/a", XDG_CACHE_HOME: "/b" }, "/a"],
    [{ ML_PLATFORM_CACHE: "", XDG_CACHE_HOME: "/b" }, "/b/ml-platform"],
  ])("%j -> %s", (env, root) => {
    expect(cacheRoot(env)).toBe(root);
  });

  it("is below the home folder by default", () => {
    expect(cacheRoot({})).toMatch(/\/\.cache\/ml-platform$/);
  });
});

describe("duration", () => {
  it.each([
    [40, "0.0 s"],
    [9_940, "9.9 s"],
    [9_960, "10 s"],
    [59_700, "1 min 0 s"],
    [252_000, "4 min 12 s"],
  ])("%d ms -> %s", (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});

describe("missingPackages", () => {
  it("counts only what dpkg calls installed", () => {
    const answer = "skopeo installed\nipset config-files\nruncible installed\n";
    expect(missingPackages(["skopeo", "ipset", "runc"], answer)).toEqual(["ipset", "runc"]);
    expect(missingPackages(["skopeo"], "")).toEqual(["skopeo"]);
  });
});

describe("serviceUnits", () => {
  it("finds what systemd could start, and no templates", () => {
    const listing = [
      "/usr/bin/etcd",
      "/lib/systemd/system/etcd.service",
      "/usr/lib/systemd/system/etcd@.service",
      "/usr/lib/systemd/system/docker-registry.service",
      "/usr/share/doc/etcd/etcd.service.gz",
    ].join("\n");
    expect(serviceUnits(listing)).toEqual(["etcd.service", "docker-registry.service"]);
  });
});
