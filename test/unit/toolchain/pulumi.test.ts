import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Pin } from "../../../toolchain/pin";
import { pins } from "../../../toolchain/pins";
import { ensurePulumi, pulumiTools } from "../../../toolchain/pulumi";
import { fakeGo, type Sandbox, sandbox } from "../../support/sandbox";

let box: Sandbox;

beforeEach(() => {
  box = sandbox();
  box.script("go", fakeGo);
  // The files that a build changes, with the changes.
  for (const pin of Object.values<Pin>(pins)) {
    for (const { path, with: by } of (pin.kind === "go" && pin.module.patches) || []) {
      const place = path.endsWith(".go") ? path : `${path}/any.go`;
      box.write(
        `modules/${place}`,
        typeof by === "string" ? "" : by.map(([from]) => from).join("\n"),
      );
    }
  }
});

afterEach(() => {
  vi.unstubAllEnvs();
  box.remove();
});

describe("the plugin scripts", () => {
  it("run scripts of the npm package", async () => {
    const name = "pulumi-resource-pulumi-nodejs";
    const file = (await pulumiTools.ensure([name], box.report)).get(name)!;
    expect(readFileSync(file, "utf8")).toMatch(
      /^#!\/bin\/sh\nexec node "\$\(node -p .*dynamic-provider.*\)" "\$@"\n$/,
    );
  });

  it("run programs of this checkout, from any folder", async () => {
    const name = "pulumi-resource-kubernetes-cert-manager";
    const file = (await pulumiTools.ensure([name], box.report)).get(name)!;
    expect(file).toMatch(/\/pulumi-resource-kubernetes-cert-manager\/0\.2\.0-/);
    const [, loader, plugin] = /--import 'file:\/\/(.+)' '(.+)' "\$@"\n$/.exec(
      readFileSync(file, "utf8"),
    )!;
    for (const path of [loader!, plugin!]) {
      expect(existsSync(path)).toBe(true);
    }
  });
});

describe("ensurePulumi", () => {
  const complete = "#!/bin/sh\necho v3.270.0\n";

  it("uses an official CLI on PATH", async () => {
    const official = join(box.folder, "official");
    const command = box.script("pulumi", complete, official);
    box.script("pulumi-language-nodejs", complete, official);
    vi.stubEnv("PATH", `${official}:${process.env.PATH}`);
    const download = vi.fn();
    expect(await ensurePulumi(box.report, download)).toEqual({ command, binDirs: [official] });
    expect(download).not.toHaveBeenCalled();
  });

  it("downloads the official CLI if there is none", async () => {
    const download = vi.fn(async () => undefined);
    const { command, binDirs } = await ensurePulumi(box.report, download);
    expect(command).toMatch(/tools\/pulumi-official\/[\d.]+\/bin\/pulumi$/);
    expect(binDirs).toEqual([dirname(command)]);
    expect(box.read("go.log")).toEqual([]);
  });

  it("builds if a download fails, reports the reason, and does not download again", async () => {
    const download = vi.fn(async () => "blocked");
    const built = await ensurePulumi(box.report, download);
    const { version } = pins.pulumi;
    const reason = `no official CLI (blocked); building ${version} from its Go module`;
    expect(box.lines[1]).toContain(reason);
    expect(built.command).toBe(await pulumiTools.cachedPath("pulumi"));
    for (const name of [
      "pulumi-resource-kubernetes",
      "pulumi-resource-pulumi-nodejs",
      "pulumi-resource-kubernetes-cert-manager",
    ] as const) {
      expect(built.binDirs).toContain(dirname(await pulumiTools.cachedPath(name)));
    }
    // A missing script is no reason for a download either: another checkout may have built the rest.
    rmSync(await pulumiTools.cachedPath("pulumi-resource-kubernetes-cert-manager"));
    expect(await ensurePulumi(box.report, download)).toEqual(built);
    expect(download).toHaveBeenCalledOnce();
  });

  it("uses a CLI on PATH with only the plugin for policy packs", async () => {
    const folder = join(box.folder, "cli");
    const command = box.script("pulumi", complete, folder);
    box.script("pulumi-resource-kubernetes", complete, folder);
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
    expect((await ensurePulumi(box.report, vi.fn())).command).toBe(command);
  });

  it("names what to install if a download fails and there is no Go", async () => {
    const ensuring = ensurePulumi(
      box.report,
      async () => "blocked",
      () => false,
    );
    await expect(ensuring).rejects.toThrow(/CLI is missing.+\(blocked\).+pulumi\.com.+on PATH/);
    expect(box.read("go.log")).toEqual([]);
  });
});
