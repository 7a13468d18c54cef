import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { type Config, loadConfig } from "../../../components/config/load";
import { SECRET_KEYS } from "../../../components/config/schema";
import program from "../../../index";
import { type Inputs, run, type Stack } from "../../support/mocks";
import { fileWith, PLATFORM_OUTPUTS, smallStack } from "../../support/stacks";
import { BAD_INPUTS } from "./bad-inputs";

const CLEAR_TEXT = "correct-horse-battery";
const secrets = Object.fromEntries(SECRET_KEYS.map((key) => [key, CLEAR_TEXT]));
const postgres = { host: "db.example.com" };

/** Sets the value at a path such as `team.models[0].name`; undefined removes it. */
function set(target: Inputs, path: string, value: unknown): void {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
  const last = keys.pop() ?? "";
  let node = target;
  for (const key of keys) {
    node[key] ??= {};
    node = node[key];
  }
  if (value === undefined) {
    delete node[last];
  } else {
    node[last] = value;
  }
}

/** The small stack with changed values by their paths. */
function changed(values: Inputs): { config: Inputs } {
  const stack = smallStack();
  for (const [path, value] of Object.entries(values)) {
    set(stack.config, path, value);
  }
  return stack;
}

/** The errors of a configuration, one line for each. The program declared nothing. */
async function refusal(stack: Stack): Promise<string[]> {
  const { error, registrations } = await run(program, stack);
  expect(registrations.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
  // An error of this kind is shown without a stack trace, which could hold values.
  expect(pulumi.RunError.isInstance(error)).toBe(true);
  const [head = "", ...lines] = error?.message.split("\n  ") ?? [];
  const count = lines.length === 1 ? "an error" : `${lines.length} errors`;
  expect(head).toBe(`The stack's configuration has ${count}; nothing was changed:`);
  return lines;
}

/** Texts in a value that are too long to be in a message by chance. */
function texts(value: unknown): string[] {
  if (typeof value === "string") {
    return value.trim().length > 6 ? [value] : [];
  }
  return value && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}

describe("each bad input is refused with its key, a reason and a remedy", () => {
  test.each(BAD_INPUTS)("%s: %j", async (at, value, says, key) => {
    const lines = await refusal({ ...changed({ [at]: value }), secrets });
    expect(lines).toHaveLength(1);
    const [line = ""] = lines;
    expect(line.slice(0, line.indexOf(": "))).toBe(`ml-platform:${key}`);
    expect(line).toMatch(says);
    expect(line).toMatch(/; \S|such as \S/);
  });
});

test("a refused value is not repeated: it could be a secret", async () => {
  // A path is not a secret, and its message needs it.
  const open = ["images.lock", "cluster.kubeconfig"];
  // Words that messages contain in any case.
  const words = ["requestRate", "install", "existing", "ml-platform"];
  const leaks: string[] = [];
  for (const [at, value] of BAD_INPUTS.filter(([at]) => !open.includes(at))) {
    const lines = await refusal({ ...changed({ [at]: value }), secrets });
    leaks.push(...texts(value).filter((text) => lines.join("\n").includes(text)));
  }
  expect(leaks.filter((text) => !words.includes(text))).toEqual([]);
});

test("all errors are reported together, each with its key", async () => {
  const lines = await refusal(
    changed({
      ownr: "x",
      retainData: "maybe",
      "platform.namespace": "default",
      "team.models[0].autoscale": { kind: "cpu", min: 0 },
      "team.training[0].sampleDta": true,
    }),
  );
  expect(lines.map((line) => line.split(": ")[0]).sort()).toEqual([
    "ml-platform:ownr",
    "ml-platform:platform.namespace",
    "ml-platform:retainData",
    "ml-platform:team.models[0].autoscale.min",
    "ml-platform:team.training[0].sampleDta",
  ]);
});

describe("keys that contradict each other", () => {
  test.each([
    [{ platform: undefined, team: undefined }, "platform: neither platform nor team is set; "],
    [{ platform: undefined }, "platformStack: a team needs a platform; "],
    [{ platform: undefined, platformStack: "platform" }, "platformStack: must be organization/"],
    [{ "platform.metricsAdapter": { mode: "off" } }, "team.models[0].autoscale.kind: the platform"],
    [
      {
        "platform.metricsAdapter": { mode: "off" },
        "team.models[0].autoscale": { kind: "cpu" },
        "team.models[0].variants": [
          { name: "main", weight: 1, autoscale: { kind: "requestRate", max: 3 } },
        ],
      },
      "team.models[0].variants[0].autoscale.kind: the platform has no custom metrics API; ",
    ],
    [
      { "team.training[0].resources": { gpus: 1 }, "team.quota": { gpus: 1 } },
      "team.training[0].resources.gpus: the platform offers no GPUs; ",
    ],
    [
      { "team.models[0].resources": { gpus: 1 }, "team.quota": { gpus: 21 } },
      "team.models[0].resources.gpus: the platform offers no GPUs; ",
    ],
  ])("%j", async (values, start) => {
    const lines = await refusal(changed(values));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.startsWith(`ml-platform:${start}`), lines[0]).toBe(true);
  });

  const { namespace: _, ...older } = PLATFORM_OUTPUTS;
  test.each([
    ["has no outputs", {}],
    ["has outputs of an older version", { platform: older }],
    ["has outputs of another program", { platform: "https://platform.example.com" }],
    ["has an ingress of another type", { platform: { ...PLATFORM_OUTPUTS, ingress: "traefik" } }],
  ])("a platform stack that %s is refused", async (_, outputs) => {
    const platformStack = "acme/ml-platform/none";
    const stack = changed({ platform: undefined, platformStack });
    const references = { [platformStack]: outputs };
    const { error, registrations } = await run(program, { ...stack, references });
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(error?.message).toBe(
      `platformStack: ${platformStack} has no output "platform" that this version can read; ` +
        "update that stack first, or correct the name",
    );
    expect(registrations.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
  });

  test.each(["apart", "apart-gpu"])(
    "a team cannot have the namespace %s of a platform in another stack",
    async (name) => {
      const platformStack = "acme/ml-platform/platform";
      const values = { platform: undefined, platformStack, "team.name": name };
      const references = {
        [platformStack]: { platform: { ...PLATFORM_OUTPUTS, namespace: "apart" } },
      };
      expect(await refusal({ ...changed(values), references })).toEqual([
        "ml-platform:team.name: is a namespace of the platform; choose another name",
      ]);
    },
  );

  test("the longest allowed names of a team and a job are accepted", async () => {
    const names = { "team.name": "a".repeat(40), "team.training[0].name": "b".repeat(7) };
    const { error } = await run(program, changed(names));
    expect(error).toBeUndefined();
  });

  test("a lock without digests is refused, with every missing image and the command for the stack", async () => {
    const lock = fileWith("{}");
    const lines = await refusal({ ...changed({ "images.lock": lock }), name: "prod" });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /^ml-platform:images\.lock: .+ no digest for quay.io\/prom.+; run `npm .+ --stack prod`$/,
    );
    expect(lines[1]).toMatch(
      /^ml-platform:images\.lock: .+ no digest for registry.k8s.io\/.+; run/,
    );
  });
});

describe("secrets", () => {
  test.each(SECRET_KEYS)(
    "%s in plain text is refused, and the message does not show it",
    async (key) => {
      const lines = await refusal(changed({ [key]: CLEAR_TEXT }));
      expect(lines).toEqual([
        `ml-platform:${key}: is in plain text; run \`pulumi config set --secret ${key}\`, and ` +
          "replace the secret itself, as the file has disclosed it",
      ]);
    },
  );

  test.each(["owner", "team"])(
    "%s is refused if it is encrypted, as it could not be reviewed",
    async (key) => {
      const stack = smallStack();
      const hidden = { [key]: stack.config[key] ?? CLEAR_TEXT };
      delete stack.config[key];
      const lines = await refusal({ ...stack, secrets: hidden });
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(
        new RegExp(`^ml-platform:${key}: is encrypted, but is not a secret`),
      );
      expect(lines.join()).not.toContain(CLEAR_TEXT);
    },
  );

  test("a password in a block is refused as an unknown key, and not shown", async () => {
    const stack = changed({ "team.tracking.postgres": { ...postgres, password: CLEAR_TEXT } });
    const lines = await refusal({ ...stack, secrets });
    expect(lines[0]).toMatch(/^ml-platform:team\.tracking\.postgres\.password: unknown key; /);
    expect(lines.join()).not.toContain(CLEAR_TEXT);
  });

  test.each([
    [{ "team.tracking.postgres": postgres }, ["postgresPassword"]],
    [{ "team.tracking.s3": { bucket: "acme-runs" } }, ["s3AccessKeyId", "s3SecretAccessKey"]],
  ])("%j without its secrets is refused", async (values, keys) => {
    expect(await refusal(changed(values))).toEqual(
      keys.map(
        (key) => `ml-platform:${key}: is missing; run \`pulumi config set --secret ${key}\``,
      ),
    );
  });

  test("are encrypted outputs, and nowhere else in the configuration", async () => {
    let config: Config | undefined;
    await run(
      async () => {
        config = loadConfig();
      },
      { ...smallStack(), secrets },
    );
    const { secrets: outputs, ...rest } = config as Config;
    expect(Object.keys(outputs).sort()).toEqual([...SECRET_KEYS].sort());
    const encrypted = Object.values(outputs).map((output) => pulumi.isSecret(output));
    expect(await Promise.all(encrypted)).toEqual([true, true, true]);
    expect(JSON.stringify(rest)).not.toContain(CLEAR_TEXT);
  });
});
