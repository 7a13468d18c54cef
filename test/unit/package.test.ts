import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../cli/common/root";

const { bin, dependencies, devDependencies, peerDependencies, scripts } = JSON.parse(
  readFileSync(join(ROOT, "package.json"), "utf8"),
);

describe("the package of the components", () => {
  test("leaves the Pulumi packages to the program that installs it, which must have one copy of each", () => {
    expect(Object.keys(dependencies).filter((name) => name.startsWith("@pulumi/"))).toEqual([]);
    expect(Object.keys(peerDependencies)).toEqual([
      "@pulumi/docker",
      "@pulumi/docker-build",
      "@pulumi/kubernetes",
      "@pulumi/kubernetes-cert-manager",
      "@pulumi/pulumi",
    ]);
  });

  test("accepts the versions that this checkout has, and later ones", () => {
    for (const [name, range] of Object.entries(peerDependencies)) {
      expect(range).toMatch(/^(\^|>=)/);
      expect(`${range}`.replace(/^\^|>=| <.*/g, ""), name).toBe(devDependencies[name]);
    }
  });

  test("has no command, as the command runs in a checkout only", () => {
    expect(scripts.prepack).toMatch(/ && npm pkg delete bin$/);
    expect(scripts.postpack).toBe(`npm pkg set bin=${bin}`);
  });
});
