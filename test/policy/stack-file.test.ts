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
  "config:\n  app:token:\n    secure: v1:abc:def\n  app:tokenSeconds: 3600\n  app:users: [a, b]\n",
);
writeFileSync(
  join(folder, "Pulumi.bad.yaml"),
  "config:\n  app:password: hunter22\n  app:stores:\n    - url: postgresql://user:hunter22@db/runs\n",
);
writeFileSync(join(folder, "Pulumi.empty.yaml"), "");

test("finds credentials in the clear, by name and by form", async () => {
  expect(await said("bad")).toEqual([
    "credential-in-stack-file: Pulumi.bad.yaml: config.app:password holds a credential, by its name",
    "credential-in-stack-file: Pulumi.bad.yaml: config.app:stores[0].url holds a URL with a password",
  ]);
});

test.each(["good", "empty", "absent"])("has nothing against a file that is %s", async (stack) => {
  expect(await said(stack)).toEqual([]);
});

test("is judged once, with the stack's root", async () => {
  expect(await said("bad", "random:index/randomId:RandomId")).toEqual([]);
});
