import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cacheRoot, duration, namesOf, withLock } from "../../../toolchain/cache";
import { type Sandbox, sandbox } from "../../support/sandbox";

describe("cacheRoot", () => {
  it.each([
    [{ ML_PLATFORM_CACHE: "/a", XDG_CACHE_HOME: "/b" }, "/a"],
    [{ ML_PLATFORM_CACHE: "", XDG_CACHE_HOME: "/b" }, "/b/ml-platform"],
  ])("%j -> %s", (env, root) => {
    expect(cacheRoot(env)).toBe(root);
  });

  it("is in the home folder by default", () => {
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

describe("namesOf", () => {
  it.each([
    [1, "tool1 1.2.3"],
    [2, "tool1, tool2"],
    [5, "tool1, tool2, tool3, tool4, tool5"],
    [16, "tool1, tool2, tool3, tool4 and 12 more"],
  ])("%d tools: %s", (count, text) => {
    const tools = Array.from({ length: count }, (_, index) => ({
      ...{ name: `tool${index + 1}`, pin: { version: "1.2.3" } },
    }));
    expect(namesOf(tools)).toBe(text);
  });
});

describe("withLock", () => {
  let box: Sandbox;
  let file: string;
  const silent = () => undefined;

  beforeEach(() => {
    box = sandbox();
    file = join(box.folder, "a.lock");
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    box.remove();
  });

  it("waits for another process, and gets the lock when that process is killed", async () => {
    const holder = spawn("flock", ["--no-fork", file, "sh", "-c", "echo held; exec cat"]);
    await once(holder.stdout, "data");
    const waited = vi.fn(() => void holder.kill("SIGKILL"));
    expect(await withLock(file, waited, async () => "done")).toBe("done");
    expect(waited).toHaveBeenCalledOnce();
  });

  it("names flock if it is missing", async () => {
    vi.stubEnv("PATH", box.bin);
    const failure = withLock(file, silent, async () => 1);
    await expect(failure).rejects.toThrow(/a\.lock: cannot lock .*Install util-linux/);
  });

  it("releases the lock after work that throws", async () => {
    const failure = withLock(file, silent, () => Promise.reject(new Error("no")));
    await expect(failure).rejects.toThrow("no");
    expect(await withLock(file, silent, async () => 1)).toBe(1);
  });
});
