import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { credentialsOf } from "../../policy/registry/credentials";

const folder = mkdtempSync(join(tmpdir(), "credentials-"));
afterAll(() => rmSync(folder, { recursive: true }));

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

  test("are those of a helper that it names", async () => {
    const bin = mkdtempSync(join(folder, "bin-"));
    const answer = '{"Username":"user","Secret":"secret"}';
    const script = `#!/bin/sh\nread host; [ "$host" = ghcr.io ] && echo '${answer}'\n`;
    writeFileSync(join(bin, "docker-credential-test"), script, { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = `${bin}:${path}`;
    try {
      expect(await configured({ credHelpers: { "ghcr.io": "test" } }, "ghcr.io")).toBe(auth);
      expect(await configured({ credsStore: "test" }, "ghcr.io")).toBe(auth);
      expect(await configured({ credsStore: "test" }, "quay.io")).toBeUndefined();
      expect(await configured({ credsStore: "absent" }, "ghcr.io")).toBeUndefined();
    } finally {
      process.env.PATH = path;
    }
  });

  test.each(["{", '{"auths": 1}'])("a configuration %s is not valid", async (text) => {
    await expect(configured(text, "ghcr.io")).rejects.toThrow(/config\.json, is not valid/);
  });
});
