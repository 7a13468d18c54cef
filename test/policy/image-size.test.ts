import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Image } from "../../policy/model/contents";
import { parseImage } from "../../policy/model/image";
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

/** A measuring function with an empty cache. */
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
  test("is the sum of its configuration and layers, each once", async () => {
    expect(await sizeOf("team/app", `@${digestOf(image)}`)).toBe(140 * MB + 10);
  });

  test("is that of its largest platform", async () => {
    expect(await sizeOf("app", `@${digestOf(index)}`)).toBe(900 * MB + 10);
  });

  test("is requested with the token that the registry requires", async () => {
    writeFileSync(
      join(folder, "config.json"),
      JSON.stringify({ auths: { [host]: { auth: btoa("user:secret") } } }),
    );
    expect(await sizeOf("private", `@${digestOf(image)}`)).toBe(140 * MB + 10);
    expect(await sizeOf("basic", `@${digestOf(image)}`)).toBe(140 * MB + 10);
  });

  test("is requested once, and cached in a file", async () => {
    const measure = fresh();
    const before = registry.asked.length;
    const sizes = await Promise.all(
      [1, 2, 3].map(() => sizeOf("app", `@${digestOf(image)}`, measure)),
    );
    expect(new Set(sizes).size).toBe(1);
    expect(registry.asked.length).toBe(before + 1);
  });

  test.each([
    ["text", "invalid", "the response of the registry is not JSON"],
    ["empty", "invalid", "the response of the registry is not an image manifest"],
    ["nothing", "invalid", "the response of the registry is an empty index"],
    ["absent", "invalid", "the registry returned status 404"],
    ["broken", "unavailable", "the registry returned status 500"],
  ])("the response %s is an error", async (tag, kind, message) => {
    await expect(sizeOf("app", `:${tag}`)).rejects.toMatchObject({ kind, message });
  });

  test("a manifest with another digest is an error", async () => {
    await expect(sizeOf("lie", `@${digestOf(image)}`)).rejects.toThrow(/manifest is another one/);
    await expect(sizeOf("endless", `@${digestOf(image)}`)).rejects.toThrow(
      /larger than a manifest/,
    );
  });

  test("a registry that does not exist, or does not respond", async () => {
    const unreachable = parseImage(`127.0.0.1:${await getPort()}/app@${digestOf(image)}`);
    const slow = parseImage(`${host}/slow@${digestOf(image)}`);
    const halting = parseImage(`${host}/halting@${digestOf(image)}`);
    if (!unreachable || !slow || !halting) {
      throw new Error("no references");
    }
    const brief = { ...options, timeoutSeconds: 0.2 };
    await expect(fresh()(unreachable, brief)).rejects.toMatchObject({
      kind: "unavailable",
      message: "the registry cannot be reached (ECONNREFUSED)",
    });
    await expect(fresh()(slow, brief)).rejects.toThrow("cannot be reached (timeout)");
    await expect(fresh()(halting, brief)).rejects.toThrow("cannot be reached (timeout)");
  });

  test("a registry that did not respond is not contacted for other images", async () => {
    const measure = fresh();
    const before = registry.asked.length;
    for (const tag of [1, 2, 3, 4]) {
      const parsed = parseImage(`${host}/slow:${tag}`);
      if (!parsed) {
        throw new Error("no reference");
      }
      await expect(measure(parsed, { ...options, timeoutSeconds: 0.2 })).rejects.toThrow("timeout");
    }
    expect(registry.asked.length).toBe(before + 1);
  });

  test("a response that can't be read does not affect others", async () => {
    const measure = fresh();
    await expect(sizeOf("app", ":loop", measure)).rejects.toMatchObject({
      kind: "unavailable",
      message: "the response of the registry cannot be read (TypeError)",
    });
    expect(await sizeOf("app", `@${digestOf(image)}`, measure)).toBe(140 * MB + 10);
  });

  test("plain HTTP is used only for allowed registries", async () => {
    const parsed = parseImage(`${host}/app@${digestOf(image)}`);
    if (!parsed) {
      throw new Error("no reference");
    }
    await expect(fresh()(parsed, { ...options, plainHttp: [] })).rejects.toMatchObject({
      kind: "unavailable",
    });
  });
});

test("a cache keeps sizes of digests for other processes", async () => {
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
  const findingsFor = async (bytes: number, value = deployment) =>
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

  test("an image for serving has a smaller budget than one for training", async () => {
    expect(await findingsFor(150 * MB)).toEqual([]);
    expect(await findingsFor(151 * MB)).toEqual([
      `image-size: ${container} has a compressed size of 151 MB, above its budget of 150 MB`,
    ]);
    expect(await findingsFor(1000 * MB, batchJob)).toEqual([]);
    expect(await findingsFor(1001 * MB, batchJob)).toHaveLength(1);
  });

  test("invalid and missing images are mandatory findings, unavailable registries advisory ones", async () => {
    expect(await failed("app", ":text")).toEqual([
      expect.stringMatching(
        /^image-manifest: .*image could not be measured: the response of the registry is not JSON/,
      ),
    ]);
    expect(await failed("app", ":absent")).toEqual([
      expect.stringMatching(
        /^image-manifest: .*could not be measured: the registry returned status 404/,
      ),
    ]);
    expect(await failed("app", ":broken")).toEqual([
      expect.stringMatching(
        /^image-size-unknown: .*image could not be measured: the registry returned status 500/,
      ),
    ]);
  });

  test("the images of a resource are measured concurrently", async () => {
    const started: string[] = [];
    let answerAll = () => {};
    const answered = new Promise<number>((resolve) => {
      answerAll = () => resolve(1);
    });
    const rules = imageSizeRules(({ repository }) => {
      started.push(repository);
      if (new Set(started).size === 3) {
        answerAll();
      }
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
  ])("a %s %s has the budget for its kind", (apiVersion, kind, name, budget) => {
    const reference = `registry.example/${name}:1`;
    const object = { apiVersion, kind } as Image["object"];
    expect(budgetOf({ object, reference, field: "image", path: "" }, DEFAULTS)).toBe(budget);
  });

  test("other errors are reported by every rule, without their message", async () => {
    const broken = imageSizeRules(() => Promise.reject(new TypeError("secret")));
    expect(await problems(broken, deployment)).toEqual(
      ["image-size", "image-manifest", "image-size-unknown"].map((name) =>
        expect.stringMatching(new RegExp(`^${name}: could not check [^ ]+ \\(TypeError\\)`)),
      ),
    );
  });
});
