import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Toolbox, toolbox } from "../../../toolchain";
import type { GoPin } from "../../../toolchain/pin";
import { fakeGo, type Sandbox, sandbox } from "../../support/sandbox";

let box: Sandbox;
let tools: Toolbox<"alpha" | "beta" | "gamma" | "other">;
const builds = () => box.read("go.log");

beforeEach(() => {
  box = sandbox();
  box.script("go", fakeGo);
  const pin = (name: string, module = "module"): GoPin => {
    const folder = dirname(box.write(`${module}/go.mod`, "module example.com/a\n"));
    return { kind: "go", version: "1.15.0", module: { folder }, package: `example.com/a/${name}` };
  };
  const onPath = { versionArgs: ["--version"], range: ["1.14.0", "2.0.0"] } as const;
  tools = toolbox({
    alpha: pin("alpha"),
    beta: { ...pin("beta"), onPath },
    gamma: pin("gamma"),
    other: pin("other", "second"),
  });
});

afterEach(() => {
  vi.unstubAllEnvs();
  box.remove();
});

describe("ensure", () => {
  it("builds once, reports it, and finds it the next time without a report", async () => {
    const file = (await tools.ensure(["alpha"], box.report)).get("alpha")!;
    expect(file).toBe(await tools.cachedPath("alpha"));
    expect(existsSync(file)).toBe(true);
    expect(box.lines).toEqual([
      "alpha 1.15.0: building ...",
      expect.stringMatching(/^alpha 1\.15\.0: built in \d+\.\d s$/),
    ]);
    expect((await tools.ensure(["alpha"], box.report)).get("alpha")).toBe(file);
    expect(box.lines).toHaveLength(2);
    expect(builds()).toHaveLength(1);
    expect(builds()[0]).toMatch(/\/module build .*-mod=readonly/);
  });

  it("builds all missing tools of a module with one command", async () => {
    await tools.ensure(["alpha"], box.report);
    const all = await tools.ensure(tools.names, box.report);
    for (const file of all.values()) {
      expect(existsSync(file)).toBe(true);
    }
    expect(builds()).toEqual([
      expect.stringMatching(/\/module build .* example\.com\/a\/alpha$/),
      expect.stringMatching(/\/module build .* example\.com\/a\/beta example\.com\/a\/gamma$/),
      expect.stringMatching(/\/second build .* example\.com\/a\/other$/),
    ]);
  });

  it("builds once for concurrent calls, and one tool after the other", async () => {
    vi.stubEnv("FAKE_GO_SECONDS", "0.3");
    const both = [
      tools.ensure(["alpha"], box.report),
      tools.ensure(["alpha"], box.report),
      tools.ensure(["alpha", "gamma"], box.report),
    ];
    for (const found of await Promise.all(both)) {
      for (const file of found.values()) {
        expect(existsSync(file)).toBe(true);
      }
    }
    expect(builds()).toHaveLength(2);
  });

  it("builds one module at a time, and returns installed tools without waiting for a build", async () => {
    await tools.ensure(["beta"], box.report);
    vi.stubEnv("FAKE_GO_SECONDS", "0.5");
    const ended: string[] = [];
    const ensure = (name: "alpha" | "beta" | "other") =>
      tools.ensure([name], box.report).then(() => ended.push(name));
    await Promise.all([ensure("alpha"), ensure("other"), ensure("beta")]);
    expect(ended).toEqual(["beta", "alpha", "other"]);
    expect(box.read("go.log.order")).toEqual(["begin", "end", "begin", "end", "begin", "end"]);
  });

  it("builds after a build that has failed", async () => {
    const failing = toolbox({
      broken: {
        ...{ kind: "go", version: "1.0.0", package: "example.com/broken" },
        module: { folder: dirname(box.write("broken/go.mod", "module example.com/broken\n")) },
      },
    });
    const go = box.read("bin/go").join("\n");
    box.script("go", go.replace("build)", 'build) case "$PWD" in */broken) exit 1 ;; esac;'));
    const [broken, alpha] = await Promise.allSettled([
      failing.ensure(["broken"], box.report),
      tools.ensure(["alpha"], box.report),
    ]);
    expect([broken.status, alpha.status]).toEqual(["rejected", "fulfilled"]);
  });

  it("keeps nothing of a failed build, shows the end of its output, and builds again", async () => {
    vi.stubEnv("FAKE_GO_FAILS", "1");
    await expect(tools.ensure(["gamma"], box.report)).rejects.toThrow(
      /\/module: "go build" failed \(exit 1\):\nundefined: boom/,
    );
    expect(await tools.find("gamma")).toBeUndefined();
    vi.stubEnv("FAKE_GO_FAILS", "");
    const file = (await tools.ensure(["gamma"], box.report)).get("gamma")!;
    expect(existsSync(file)).toBe(true);
  });

  it("uses a tool on PATH in the range, and builds otherwise", async () => {
    const file = box.script("beta", "#!/bin/sh\necho beta v1.14.9\n");
    expect((await tools.ensure(["beta"], box.report)).get("beta")).toBe(file);
    box.script("beta", "#!/bin/sh\necho beta v1.9.3\n");
    expect((await tools.ensure(["beta"], box.report)).get("beta")).not.toBe(file);
    expect(builds()).toHaveLength(1);
  });

  it("uses no tool on PATH without a rule, as it may be for an image", async () => {
    const file = box.script("alpha", "#!/bin/sh\necho alpha v1.15.0\n");
    expect((await tools.ensure(["alpha"], box.report)).get("alpha")).not.toBe(file);
  });
});
