import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stackFileRule } from "../../policy/rules/stack-file";
import { judge } from "./harness";

const folder = mkdtempSync(join(tmpdir(), "stack-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the rule says of the file of a stack, judged with a resource of that stack. */
async function said(stack: string, type = "pulumi:pulumi:Stack"): Promise<string[]> {
  const urn = `urn:pulumi:${stack}::ml-platform::${type}::ml-platform-${stack}`;
  const root = { type, urn, name: `ml-platform-${stack}`, protect: false, props: {} };
  const { findings } = await judge(stackFileRule(folder), root);
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

test("finds credentials in the clear, by name and by form", async () => {
  expect(await said("bad")).toEqual([
    "credential-in-stack-file: Pulumi.bad.yaml: config.app:password holds a credential, by its name",
    "credential-in-stack-file: Pulumi.bad.yaml: config.app:stores[0].url holds a URL with a password",
  ]);
});

test("finds those in a text, and those that only claim to be encrypted", async () => {
  expect(await said("hidden")).toEqual(
    [
      "app:settings.secure.password holds a credential, by its name",
      "app:token.secure holds a credential, by its name",
      "app:db holds a credential in one of its lines",
      "app:pin.secret holds a credential, by its name",
      "app:PGPASSWORD holds a credential, by its name",
    ].map((problem) => `credential-in-stack-file: Pulumi.hidden.yaml: config.${problem}`),
  );
});

test("says which file is no YAML, and where, without a line of it", async () => {
  expect(await said("broken")).toEqual([
    "credential-in-stack-file: Pulumi.broken.yaml is no YAML (line 3)",
  ]);
  writeFileSync(join(folder, "Pulumi.broken.yaml"), "config: *nothing\n");
  expect(await said("broken")).toEqual(["credential-in-stack-file: Pulumi.broken.yaml is no YAML"]);
});

test.each(["good", "empty", "absent"])("has nothing against a file that is %s", async (stack) => {
  expect(await said(stack)).toEqual([]);
});

test("is judged once, with the stack's root", async () => {
  expect(await said("bad", "random:index/randomId:RandomId")).toEqual([]);
});
