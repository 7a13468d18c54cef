import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { lockImages } from "../../../../cli/images/lock";
import type { Interruption } from "../../../../cli/interruption";
import { run as promote } from "../../../../cli/promote/command";
import { destroyCommand } from "../../../../cli/stack/destroy";
import {
  configOf,
  labAt,
  labOf,
  stackConfig,
  stackFile,
  uncheckedLabOf,
} from "../../../../cli/stack/file";
import { load } from "../../../../cli/stack/load";
import { preview } from "../../../../cli/stack/preview";
import { start } from "../../../../cli/stack/start";

/** Replaces the folder of the program, which has the user's files. */
const folder = vi.hoisted(() => ({ path: "" }));
vi.mock("../../../../cli/common/root", () => ({
  get ROOT() {
    return folder.path;
  },
}));
folder.path = mkdtempSync(join(tmpdir(), "stacks-"));
afterAll(() => rmSync(folder.path, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(stackFile(name), text);

describe("a stack file", () => {
  it("is read without the keys of other programs", () => {
    const text = "config: {'aws:team': {name: x}, 'ml-platform:platform': {}}";
    expect(configOf(text, "a").team).toBeUndefined();
  });

  it("has the defaults of the program's schema", () => {
    const { owner, retainData, images } = configOf("config: {'ml-platform:platform': {}}", "a");
    expect({ owner, retainData, lock: images.lock }).toEqual({
      owner: "ml-platform",
      retainData: true,
      lock: "images.lock.json",
    });
  });

  it("is read as Pulumi passes it to the program: JSON in strings, and numbers as strings", () => {
    const text = `config:
  ml-platform:owner: 42
  ml-platform:retainData: "false"
  ml-platform:platform: '{"prometheus":{"mode":"install","retention":"2d"}}'
  ml-platform:postgresPassword: { secure: v1:abc:def }
`;
    expect(configOf(text, "a")).toMatchObject({
      owner: "42",
      retainData: false,
      platform: { prometheus: { retention: "2d" } },
      postgresPassword: "v1:abc:def",
    });
  });

  it("may contain merge keys, which Pulumi supports", () => {
    const text =
      "base: &base { domain: a.example.com, namespace: web }\nconfig:\n  ml-platform:platform:\n    ingress: { <<: *base }\n";
    expect(configOf(text, "a").platform?.ingress.domain).toBe("a.example.com");
  });
});

describe("the lab of a stack", () => {
  it.each([
    [".lab/dev/kubeconfig", "dev"],
    ["./.lab/x-1/kubeconfig", "x-1"],
    ["/home/me/.kube/config", undefined],
    [undefined, undefined],
  ])("is found by the path of the kubeconfig: %s is the lab %s", (path, lab) => {
    expect(labAt(path)).toBe(lab);
  });

  it("is found in a file with errors, for the command that may correct them", () => {
    write("lab", "config: {'ml-platform:cluster': {kubeconfig: .lab/a/kubeconfig}}");
    expect(uncheckedLabOf("lab")).toBe("a");
    expect(() => labOf("lab")).toThrow("neither platform nor team is set");
  });
});

const NEITHER = "ml-platform:platform: neither platform nor team is set; ";

/** Errors in a stack file, and their messages. */
const ERRORS: [what: string, text: string | undefined, message: string | RegExp][] = [
  [
    "broken YAML",
    "config:\n  ml-platform:team: [\n  ml-platform:postgresPassword: hunter22\n",
    "Pulumi.bad.yaml is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 3, column 3",
  ],
  [
    "an alias without an anchor",
    "config:\n  ml-platform:team: *nothing\n",
    "Pulumi.bad.yaml is not valid YAML: Unresolved alias (the anchor must be set before the alias): nothing",
  ],
  ["a list as its configuration", "config: [a]\n", "Pulumi.bad.yaml: config: must be a mapping"],
  [
    "a string instead of a mapping",
    "hello\n",
    "Pulumi.bad.yaml: must be a mapping of keys to values",
  ],
  [
    "no configuration",
    "config:\n",
    `Pulumi.bad.yaml: the stack's configuration has an error; nothing was changed:\n  ${NEITHER}`,
  ],
  [
    "no content",
    "",
    `Pulumi.bad.yaml: the stack's configuration has an error; nothing was changed:\n  ${NEITHER}`,
  ],
  [
    "an unknown key",
    "config: {'ml-platform:platfrom': {}, 'ml-platform:platform': {}}",
    /nothing was changed:\n {2}ml-platform:platfrom: .+; did you mean platform\?$/,
  ],
  [
    "a wrong type, and a value out of range",
    "config: {'ml-platform:platform': {ingress: {port: many}}, 'ml-platform:retainData': 1}",
    "has 2 errors; nothing was changed:\n  ml-platform:retainData: must be of type boolean; ",
  ],
  [
    "no file",
    undefined,
    "Pulumi.bad.yaml does not exist; write it (Pulumi.dev.yaml is an example)",
  ],
];

describe.each(ERRORS)("an error in a stack file: %s", (_what, text, message) => {
  const interruption = {} as Interruption;
  const stack = "bad";
  const commands = {
    start: () => start({ stack }, interruption),
    preview: () => preview({ stack }, interruption),
    load: () => load({ stack, rate: 1, seconds: 1 }, interruption),
    promote: () => promote({ stack, model: "m" }, interruption),
    destroy: () => destroyCommand({ stack, yes: true }, interruption),
    lock: () => lockImages(stack, () => {}),
  };

  it.each(Object.entries(commands))(
    "is reported by %s, which changes nothing",
    async (_command, run) => {
      rmSync(stackFile(stack), { force: true });
      if (text !== undefined) {
        write(stack, text);
      }
      await expect(run()).rejects.toThrow(message);
    },
  );

  it("is reported without its values", () => {
    rmSync(stackFile(stack), { force: true });
    if (text !== undefined) {
      write(stack, text);
    }
    expect(() => stackConfig(stack)).toThrow(/^(?!.*hunter22)/s);
  });
});
