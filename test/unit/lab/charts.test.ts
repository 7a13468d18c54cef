import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { provideChart, withVersion, writeCharts } from "../../../lab/charts";
import { type Sandbox, sandbox } from "../../support/sandbox";

let box: Sandbox;

/** As the Go module has it: read-only, and without a version. */
beforeEach(() => {
  box = sandbox();
  const chart = "module/deploy/charts/cert-manager";
  box.write(
    `${chart}/Chart.yaml`,
    "# A chart\nname: cert-manager\nversion: v0.0.0\nappVersion: v0.0.0\n",
  );
  box.write(`${chart}/templates/crd-issuers.yaml`, "kind: CustomResourceDefinition\n");
  for (const path of [`${chart}/Chart.yaml`, `${chart}/templates`, chart]) {
    chmodSync(join(box.folder, path), path.endsWith(".yaml") ? 0o444 : 0o555);
  }
  box.script(
    "go",
    `#!/bin/sh
root=$(dirname "$0")/..
case "$1" in
env) echo go1.26.8 ;;
mod) echo "$*" >> "$root/go.log"; printf '{"Dir": "%s"}' "$(cd "$root/module" && pwd)" ;;
esac
`,
  );
});

afterEach(() => {
  vi.unstubAllEnvs();
  for (const path of ["deploy/charts/cert-manager", "deploy/charts/cert-manager/templates"]) {
    chmodSync(join(box.folder, "module", path), 0o755);
  }
  box.remove();
});

describe("withVersion", () => {
  it("sets both versions and changes nothing else", () => {
    const text = "# A chart\nname: a\nversion: v0.0.0\nappVersion: v0.0.0\n";
    expect(withVersion(text, "v1.2.3")).toBe(
      "# A chart\nname: a\nversion: v1.2.3\nappVersion: v1.2.3\n",
    );
  });
});

describe("provideChart", () => {
  it("copies the chart of the pinned module once, with the version of the images", async () => {
    const folder = await provideChart("cert-manager");
    expect(folder).toBe(join(box.folder, "cache/charts/cert-manager/v1.21.2"));
    expect(readFileSync(join(folder, "Chart.yaml"), "utf8")).toBe(
      "# A chart\nname: cert-manager\nversion: v1.21.2\nappVersion: v1.21.2\n",
    );
    expect(readFileSync(join(folder, "templates/crd-issuers.yaml"), "utf8")).toMatch(
      /^kind: Custom/,
    );
    expect(await provideChart("cert-manager")).toBe(folder);
    expect(box.read("go.log")).toEqual(["mod download -json github.com/cert-manager/cert-manager"]);
  });
});

describe("writeCharts", () => {
  it("replaces the files of a chart in the folder", async () => {
    const stale = box.write("charts/cert-manager/templates/gone.yaml", "");
    mkdirSync(join(box.folder, "charts/other"));
    await writeCharts(join(box.folder, "charts"));
    expect(() => readFileSync(stale)).toThrow("ENOENT");
    expect(readFileSync(join(box.folder, "charts/cert-manager/Chart.yaml"), "utf8")).toContain(
      "\nversion: v1.21.2\n",
    );
  });
});
