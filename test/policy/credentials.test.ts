import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { credentialsOf } from "../../policy/registry/credentials";

const folder = mkdtempSync(join(tmpdir(), "credentials-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Calls a function with a credential helper named `test`. */
async function withHelper(script: string, run: () => Promise<void>) {
  const bin = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(bin, "docker-credential-test"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const path = process.env.PATH;
  process.env.PATH = `${bin}:${path}`;
  try {
    await run();
  } finally {
    process.env.PATH = path;
  }
}

describe("credentials", () => {
  const auth = btoa("user:secret");
  const configured = async (config: unknown, registry: string) => {
    const place = mkdtempSync(join(folder, "docker-"));
    writeFileSync(
      join(place, "config.json"),
      typeof config === "string" ? config : JSON.stringify(config),
    );
    return credentialsOf(registry, place);
  };

  test("are those of Docker's configuration", async () => {
    expect(await configured({ auths: { "ghcr.io": { auth } } }, "ghcr.io")).toBe(auth);
    expect(await configured({ auths: { "https://ghcr.io": { auth } } }, "ghcr.io")).toBe(auth);
    expect(
      await configured({ auths: { "https://index.docker.io/v1/": { auth } } }, "docker.io"),
    ).toBe(auth);
    expect(await configured({ auths: { "ghcr.io": { auth } } }, "quay.io")).toBeUndefined();
    expect(await credentialsOf("ghcr.io", join(folder, "none"))).toBeUndefined();
  });

  test.each([
    ["by the address of its API", { "https://ghcr.io/v2/": { auth } }],
    ["as user and password", { "ghcr.io": { username: "user", password: "secret" } }],
  ])("are those of Docker's configuration, %s", async (_, auths) => {
    expect(await configured({ auths }, "ghcr.io")).toBe(auth);
    expect(await configured({ auths }, "ghcr.io.example")).toBeUndefined();
  });

  test.each([
    ["exits without reading", "exec <&-\nexit 1", 10_000],
    ["does not exit", "exec sleep 60", 200],
  ])("are undefined if the helper %s", async (_, script, timeout) => {
    await withHelper(script, async () => {
      const place = mkdtempSync(join(folder, "docker-"));
      writeFileSync(join(place, "config.json"), '{"credsStore":"test"}');
      // The pipe does not break every time.
      for (const host of ["a.example", "b.example", "c.example"]) {
        expect(await credentialsOf(host, place, timeout)).toBeUndefined();
      }
    });
  });

  test("are those of a credential helper", async () => {
    const answer = '{"Username":"user","Secret":"secret"}';
    await withHelper(`read host; [ "$host" = ghcr.io ] && echo '${answer}'`, async () => {
      expect(await configured({ credHelpers: { "ghcr.io": "test" } }, "ghcr.io")).toBe(auth);
      expect(await configured({ credsStore: "test" }, "ghcr.io")).toBe(auth);
      expect(await configured({ credsStore: "test" }, "quay.io")).toBeUndefined();
      expect(await configured({ credsStore: "absent" }, "ghcr.io")).toBeUndefined();
    });
  });

  test.each(["{", '{"auths": 1}'])("a configuration %s is not valid", async (text) => {
    await expect(configured(text, "ghcr.io")).rejects.toThrow(/config\.json, is not valid/);
  });
});
