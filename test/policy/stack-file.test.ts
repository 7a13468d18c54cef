import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stackFileRule } from "../../policy/rules/stack-file";
import { evaluateResource } from "./harness";

const folder = mkdtempSync(join(tmpdir(), "stack-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The findings in the file of a stack, with a resource of that stack. */
async function said(stack: string, type = "pulumi:pulumi:Stack"): Promise<string[]> {
  const urn = `urn:pulumi:${stack}::ml-platform::${type}::ml-platform-${stack}`;
  const root = { type, urn, name: `ml-platform-${stack}`, protect: false, props: {} };
  const { findings } = await evaluateResource(stackFileRule(folder), root);
  return findings.map(({ message }) => message.split(". Set it")[0] ?? "");
}

writeFileSync(
  join(folder, "Pulumi.good.yaml"),
  "config:\n  app:token:\n    secure: v1:abc:def\n  app:key_password:\n    secure: AAABAMcGtHDraogfM3Qk4WyaNp3FsdwQ\n  app:tokenSeconds: 3600\n  app:users: [a, b]\n",
);
writeFileSync(
  join(folder, "Pulumi.bad.yaml"),
  "config:\n  app:password: hunter22\n  app:stores:\n    - url: postgresql://user:hunter22@db/runs\n",
);
writeFileSync(join(folder, "Pulumi.empty.yaml"), "");
writeFileSync(
  join(folder, "Pulumi.hidden.yaml"),
  `config:
  app:settings:
    secure:
      password: hunter22
  app:token:
    secure: hunter22
  app:db: '{"user":"app","password":"hunter22"}'
  app:pin:
    secret: 73219984
  app:PGPASSWORD: hunter22
`,
);
writeFileSync(join(folder, "Pulumi.broken.yaml"), "config:\n  a: [\n  app:password: hunter22\n");

test("finds credentials in plain text, by name and by format", async () => {
  expect(await said("bad")).toEqual([
    "credential-in-stack-file: Pulumi.bad.yaml: config.app:password contains a credential, according to its name",
    "credential-in-stack-file: Pulumi.bad.yaml: config.app:stores[0].url holds a URL with a password",
  ]);
});

test("finds those in a text, and plain text under the key `secure`", async () => {
  expect(await said("hidden")).toEqual(
    [
      "app:settings.secure.password contains a credential, according to its name",
      "app:token.secure contains a credential, according to its name",
      "app:db contains a credential in one of its lines",
      "app:pin.secret contains a credential, according to its name",
      "app:PGPASSWORD contains a credential, according to its name",
    ].map((problem) => `credential-in-stack-file: Pulumi.hidden.yaml: config.${problem}`),
  );
});

test("reports a file that is not YAML with the line number, without quoting it", async () => {
  expect(await said("broken")).toEqual([
    "credential-in-stack-file: Pulumi.broken.yaml is not YAML (line 3)",
  ]);
  writeFileSync(join(folder, "Pulumi.broken.yaml"), "config: *nothing\n");
  expect(await said("broken")).toEqual([
    "credential-in-stack-file: Pulumi.broken.yaml is not YAML",
  ]);
});

test.each(["good", "empty", "absent"])("accepts a file that is %s", async (stack) => {
  expect(await said(stack)).toEqual([]);
});

test("is evaluated once, with the root resource", async () => {
  expect(await said("bad", "random:index/randomId:RandomId")).toEqual([]);
});
