import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseImage } from "../../policy/model/image";
import type { Image } from "../../policy/model/parts";
import { SizeCache } from "../../policy/registry/cache";
import { credentialsOf } from "../../policy/registry/credentials";
import { measureWith } from "../../policy/registry/size";
import { budgetOf, imageSizeRules } from "../../policy/rules/image-size";
import { changed } from "./cases/case";
import { DEFAULTS, problems } from "./harness";
import { batchJob, deployment } from "./objects";
import { digestOf, image, index, MB, type Registry, startRegistry } from "./registry";

const folder = mkdtempSync(join(tmpdir(), "registry-"));

let registry: Registry;
let host: string;

beforeAll(async () => {
  registry = await startRegistry();
  host = registry.host;
});

afterAll(() => {
  registry.close();
  rmSync(folder, { recursive: true });
});

/** A measure with an empty cache. */
function fresh() {
  const cache = new SizeCache(mkdtempSync(join(folder, "cache-")));
  return measureWith(cache, async (registry) => credentialsOf(registry, folder));
}

const options = { plainHttp: ["127.0.0.1:*"], timeoutSeconds: 5 };
const sizeOf = (repository: string, reference: string, measure = fresh()) => {
  const parsed = parseImage(`${host}/${repository}${reference}`);
  return parsed ? measure(parsed, options) : Promise.reject(new Error("no reference"));
};

describe("the size of an image", () => {
  test("is that of its configuration and layers, each once", async () => {
    expect(await sizeOf("team/app", `@${digestOf(image)}`)).toBe(140 * MB + 10);
  });

  test("is that of its largest platform", async () => {
    expect(await sizeOf("app", `@${digestOf(index)}`)).toBe(900 * MB + 10);
  });

  test("is asked for with the token that the registry wants", async () => {
    writeFileSync(
      join(folder, "config.json"),
      JSON.stringify({ auths: { [host]: { auth: btoa("user:secret") } } }),
    );
    expect(await sizeOf("private", `@${digestOf(image)}`)).toBe(140 * MB + 10);
    expect(await sizeOf("basic", `@${digestOf(image)}`)).toBe(140 * MB + 10);
  });

  test("is asked for once, and kept in a file", async () => {
    const measure = fresh();
    const before = registry.asked.length;
    const sizes = await Promise.all(
      [1, 2, 3].map(() => sizeOf("app", `@${digestOf(image)}`, measure)),
    );
    expect(new Set(sizes).size).toBe(1);
    expect(registry.asked.length).toBe(before + 1);
  });

  test.each([
    ["text", "wrong", "the registry answered with no JSON"],
    ["empty", "wrong", "the registry answered with no image manifest"],
    ["nothing", "wrong", "the registry answered with an index of nothing"],
    ["absent", "wrong", "the registry answered 404"],
    ["broken", "silent", "the registry answered 500"],
  ])("the answer %s is none", async (tag, kind, message) => {
    await expect(sizeOf("app", `:${tag}`)).rejects.toMatchObject({ kind, message });
  });

  test("another manifest than the digest's is none", async () => {
    await expect(sizeOf("lie", `@${digestOf(image)}`)).rejects.toThrow(/another manifest/);
    await expect(sizeOf("endless", `@${digestOf(image)}`)).rejects.toThrow(/more than a manifest/);
  });

  test("a registry that is not there, or does not answer", async () => {
    const nowhere = parseImage(`127.0.0.1:${await getPort()}/app@${digestOf(image)}`);
    const slow = parseImage(`${host}/slow@${digestOf(image)}`);
    const halting = parseImage(`${host}/halting@${digestOf(image)}`);
    if (!nowhere || !slow || !halting) throw new Error("no references");
    const brief = { ...options, timeoutSeconds: 0.2 };
    await expect(fresh()(nowhere, brief)).rejects.toMatchObject({
      kind: "silent",
      message: "the registry cannot be reached (ECONNREFUSED)",
    });
    await expect(fresh()(slow, brief)).rejects.toThrow("cannot be reached (timeout)");
    await expect(fresh()(halting, brief)).rejects.toThrow("cannot be reached (timeout)");
  });

  test("a registry that did not answer is asked for no other image", async () => {
    const measure = fresh();
    const before = registry.asked.length;
    for (const tag of [1, 2, 3, 4]) {
      const parsed = parseImage(`${host}/slow:${tag}`);
      if (!parsed) throw new Error("no reference");
      await expect(measure(parsed, { ...options, timeoutSeconds: 0.2 })).rejects.toThrow("timeout");
    }
    expect(registry.asked.length).toBe(before + 1);
  });

  test("one answer that can't be read says nothing of others", async () => {
    const measure = fresh();
    await expect(sizeOf("app", ":loop", measure)).rejects.toMatchObject({
      kind: "silent",
      message: "the registry's answer cannot be read (TypeError)",
    });
    expect(await sizeOf("app", `@${digestOf(image)}`, measure)).toBe(140 * MB + 10);
  });

  test("plain HTTP is spoken where it is allowed, and nowhere else", async () => {
    const parsed = parseImage(`${host}/app@${digestOf(image)}`);
    if (!parsed) throw new Error("no reference");
    await expect(fresh()(parsed, { ...options, plainHttp: [] })).rejects.toMatchObject({
      kind: "silent",
    });
  });
});

test("a cache keeps what a digest names, from one process to the next", async () => {
  const place = mkdtempSync(join(folder, "cache-"));
  const digest = digestOf(image);
  expect(await new SizeCache(place).get(digest, async () => 42)).toBe(42);
  expect(await new SizeCache(place).get(digest, () => Promise.reject(new Error("asked")))).toBe(42);
  expect(readFileSync(join(place, digest.replace(":", "-")), "utf8")).toBe("42");
  expect(await new SizeCache(place).get("app:latest", async () => 1)).toBe(1);
  expect(await new SizeCache(place).get("app:latest", async () => 2)).toBe(2);
});

describe("rules", () => {
  const container = "spec.template.spec.containers[0].image";
  const judged = async (bytes: number, value = deployment) =>
    (
      await problems(
        imageSizeRules(async () => bytes),
        value,
      )
    ).map((one) => one.split(". ")[0]);
  const failed = async (repository: string, reference: string) =>
    problems(imageSizeRules(fresh()), {
      ...changed([deployment], {
        "[0].spec.template.spec.containers[0].image": `${host}/${repository}${reference}`,
      })[0],
    });

  test("a served image has a smaller budget than one that trains", async () => {
    expect(await judged(150 * MB)).toEqual([]);
    expect(await judged(151 * MB)).toEqual([
      `image-size: ${container} has 151 MB compressed, above its budget of 150 MB`,
    ]);
    expect(await judged(1000 * MB, batchJob)).toEqual([]);
    expect(await judged(1001 * MB, batchJob)).toHaveLength(1);
  });

  test("rubbish and absence are mandatory findings, silence an advisory one", async () => {
    expect(await failed("app", ":text")).toEqual([
      expect.stringMatching(
        /^image-manifest: .*image could not be measured: the registry answered with no JSON/,
      ),
    ]);
    expect(await failed("app", ":absent")).toEqual([
      expect.stringMatching(/^image-manifest: .*could not be measured: the registry answered 404/),
    ]);
    expect(await failed("app", ":broken")).toEqual([
      expect.stringMatching(
        /^image-size-unknown: .*image could not be measured: the registry answered 500/,
      ),
    ]);
  });

  test("the images of a resource are asked for side by side", async () => {
    const started: string[] = [];
    let answerAll = () => {};
    const answered = new Promise<number>((resolve) => {
      answerAll = () => resolve(1);
    });
    const rules = imageSizeRules(({ repository }) => {
      started.push(repository);
      if (new Set(started).size === 3) answerAll();
      return answered;
    });
    const images = ["a", "b", "c"].map((name) => ({ name, image: `${host}/${name}:1` }));
    const [value = {}] = changed([deployment], { "[0].spec.template.spec.containers": images });
    expect(await problems(rules, value)).toEqual([]);
  });

  test.each([
    ["argoproj.io/v1alpha1", "Rollout", "app", 150 * MB],
    ["serving.kserve.io/v1beta1", "InferenceService", "app", 150 * MB],
    ["kubeflow.org/v1", "PyTorchJob", "app", 1000 * MB],
    ["batch/v1", "CronJob", "app", 1000 * MB],
    ["apps/v1", "Deployment", "team-tracking", 400 * MB],
    ["apps/v1", "Deployment", "team-tracking/other", 150 * MB],
  ])("a %s %s has a budget by what it is and runs", (apiVersion, kind, name, budget) => {
    const reference = `registry.example/${name}:1`;
    const object = { apiVersion, kind } as Image["object"];
    expect(budgetOf({ object, reference, field: "image", path: "" }, DEFAULTS)).toBe(budget);
  });

  test("anything else that goes wrong is said by every rule, without its text", async () => {
    const broken = imageSizeRules(() => Promise.reject(new TypeError("secret")));
    expect(await problems(broken, deployment)).toEqual(
      ["image-size", "image-manifest", "image-size-unknown"].map((name) =>
        expect.stringMatching(new RegExp(`^${name}: could not judge [^ ]+ \\(TypeError\\)`)),
      ),
    );
  });
});
