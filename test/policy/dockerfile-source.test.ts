import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DOCKERFILE_RULES } from "../../policy/rules/dockerfile";
import { GOOD, image, inline, said } from "./dockerfiles";
import { UNKNOWN } from "./harness";

const OLDER = "docker:index/image:Image";
const folder = mkdtempSync(join(tmpdir(), "dockerfile-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(["", "2", "Serving"])("the target can be %j", async (target) => {
  expect(await said(inline(GOOD, { target }))).toEqual([]);
});

test("an unknown property of an image matters only if the Dockerfile needs it", async () => {
  expect(await said(inline(GOOD, { labels: UNKNOWN, push: UNKNOWN }))).toEqual([]);
  expect((await said(inline(GOOD, { buildArgs: { BASE: UNKNOWN } }))).length).toBe(
    DOCKERFILE_RULES.length,
  );
});

test.each(["docker.io/library/python:3.13-slim", "runtime"])(
  "a named context that replaces %s is refused",
  async (name) => {
    const context = { location: folder, named: { [name]: { location: "docker-image://fat" } } };
    expect(await said(inline(GOOD, { context }))).toEqual([
      "dockerfile: dockerfile: context.named replaces the base image of one of its stages",
    ]);
  },
);

test("a named context for COPY --from is accepted", async () => {
  const context = { location: folder, named: { data: { location: "docker-image://data" } } };
  expect(await said(inline(GOOD, { context }))).toEqual([]);
});

test.each(["serving", "serving-linear", "training", "mlflow"])(
  "accepts the image %s of this project",
  async (target) => {
    expect(await said(image({ context: { location: "app" }, target }))).toEqual([]);
  },
);

describe("an invalid Dockerfile is one finding", () => {
  test.each([
    ["nothing", "# later", "there is no FROM"],
    ["no image", "FROM", "line 1: FROM names no image"],
    ["prose", "Dear builder,\nplease build.", "line 1: unknown instruction"],
    ["an instruction too early", "RUN true\nFROM a", "line 1: RUN is before FROM"],
    ["no base", `ARG A\nFROM \${A}`, "line 2: FROM names no image"],
    [
      "a variable that is cut",
      `ARG A=slim\nFROM a-\${A#s}`,
      "line 2: a variable is used in a form that is not supported",
    ],
    ["an open here-document", "FROM a\n\nRUN <<EOF\ntrue", "line 3: a here-document does not end"],
  ])("%s", async (_, text, problem) => {
    expect(await said(inline(text))).toEqual([`dockerfile: dockerfile: ${problem}`]);
  });

  test("an unknown target", async () => {
    expect(await said(inline(GOOD, { target: "training" }))).toEqual([
      "dockerfile: dockerfile: there is no stage with the name of the target",
    ]);
  });

  test("a missing file", async () => {
    const location = join(folder, "none");
    expect(await said(image({ dockerfile: { location } }))).toEqual([
      `dockerfile: dockerfile: ${location}: it cannot be read (ENOENT)`,
    ]);
  });

  test("an invalid file, with its name", async () => {
    writeFileSync(join(folder, "Wrong"), "Dear builder");
    expect(
      await said(image({ build: { context: folder, dockerfile: join(folder, "Wrong") } }, OLDER)),
    ).toEqual([`dockerfile: dockerfile: ${join(folder, "Wrong")}: line 1: unknown instruction`]);
  });
});

test("is read from the location of the resource", async () => {
  writeFileSync(join(folder, "Dockerfile"), GOOD);
  expect(await said(image({ dockerfile: { location: join(folder, "Dockerfile") } }))).toEqual([]);
  expect(await said(image({ context: { location: folder } }))).toEqual([]);
  expect(await said(image({ build: { context: folder, target: "serving" } }, OLDER))).toEqual([]);
});

test("an unknown path is reported", async () => {
  const unclear = image({ dockerfile: { location: UNKNOWN } });
  expect(await said(unclear)).toEqual(
    DOCKERFILE_RULES.map(({ name }) => `${name} needs dockerfile.location of image`),
  );
});

test("other resources have no Dockerfile", async () => {
  expect(
    await said(image({ dockerfile: { inline: "" } }, "random:index/randomId:RandomId")),
  ).toEqual([]);
});
