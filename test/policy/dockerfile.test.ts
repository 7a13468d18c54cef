import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Resource } from "../../policy/model/resource";
import { DOCKERFILE_RULES } from "../../policy/rules/dockerfile";
import { judge, UNKNOWN } from "./harness";

const folder = mkdtempSync(join(tmpdir(), "dockerfile-"));
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = `# syntax=docker/dockerfile:1
ARG BASE=python:3.13-slim
FROM \${BASE} AS builder
RUN pip install --upgrade pip
COPY requirements.txt .
RUN pip install \\
    # from the lock file

    --target /venv -r requirements.txt

FROM \${BASE} AS runtime
USER 65532:65532

FROM runtime AS serving
COPY --from=builder /venv /venv
ENTRYPOINT ["python"]
CMD ["-m", "serving"]
`;

function image(props: object, type = "docker-build:index:Image"): Resource {
  const urn = `urn:pulumi:dev::p::${type}::image`;
  return { type, urn, name: "image", protect: false, props: { ...props } };
}

const inline = (text: string, props: object = {}) =>
  image({ dockerfile: { inline: text }, ...props });

/** What the rules say, without remedies. */
async function said(resource: Resource): Promise<string[]> {
  const { findings, unknown } = await judge(DOCKERFILE_RULES, resource);
  return [...findings.map(({ message }) => message.split(". ")[0] ?? ""), ...unknown];
}

test("has nothing against slim images that are built in stages", async () => {
  expect(await said(inline(GOOD))).toEqual([]);
  expect(
    await said(inline(GOOD, { buildArgs: { BASE: "mirror:5000/python:3.13-slim@sha256:0" } })),
  ).toEqual([]);
});

test.each<[string, string, string[]]>([
  [
    "a fat base",
    GOOD.replace("3.13-slim", "3.13"),
    ["dockerfile-base: dockerfile.the stage's base image is not a slim one"],
  ],
  [
    "root",
    GOOD.replace("USER 65532:65532", ""),
    ["dockerfile-user: dockerfile.the last USER is not a number above 0"],
  ],
  [
    "a user's name",
    GOOD.replace("65532:65532", "app"),
    ["dockerfile-user: dockerfile.the last USER is not a number above 0"],
  ],
  [
    "back to root",
    GOOD.replace("ENTRYPOINT", "USER 0\nENTRYPOINT"),
    ["dockerfile-user: dockerfile.the last USER is not a number above 0"],
  ],
  [
    "a command in a shell",
    GOOD.replace('["-m", "serving"]', "-m serving"),
    ["dockerfile-command: dockerfile.line 17 runs its command in a shell"],
  ],
  [
    "no stages",
    'FROM scratch\nUSER 1\nCMD ["/app"]',
    ["dockerfile-stages: dockerfile.the stage takes nothing from another one"],
  ],
  [
    "the cache of pip",
    GOOD.replace("COPY --from", "RUN pip install x\nCOPY --from"),
    ["dockerfile-cache: dockerfile.line 15 leaves the cache of a package manager in the image"],
  ],
  [
    "the lists of apt",
    GOOD.replace("COPY --from", "RUN apt-get update && apt-get install -y git\nCOPY --from"),
    ["dockerfile-cache: dockerfile.line 15 leaves the cache of a package manager in the image"],
  ],
])("objects to %s", async (_, text, problems) => {
  expect(await said(inline(text))).toEqual(problems);
});

test.each([
  ["--no-cache-dir", "RUN pip install --no-cache-dir x"],
  ["the environment", "ENV PIP_NO_CACHE_DIR=1\nRUN pip install x"],
  ["the environment, in its old form", "ENV PIP_NO_CACHE_DIR 1\nRUN pip install x"],
  ["a mount", "RUN --mount=type=cache,target=/cache pip install x"],
  ["removing the lists", "RUN apt-get install -y git && rm -rf /var/lib/apt/lists/*"],
  ["a here-document", "RUN <<EOF\napt-get install -y git\nrm -rf /var/lib/apt/lists/*\nEOF"],
])("no cache is left by %s", async (_, lines) => {
  expect(await said(inline(GOOD.replace("COPY --from", `${lines}\nCOPY --from`)))).toEqual([]);
});

test("the stage that is built is judged, not the last one", async () => {
  expect(await said(inline(GOOD, { target: "builder" }))).toEqual([
    "dockerfile-stages: dockerfile.the stage takes nothing from another one",
    "dockerfile-cache: dockerfile.line 4 leaves the cache of a package manager in the image",
    "dockerfile-cache: dockerfile.line 6 leaves the cache of a package manager in the image",
    "dockerfile-user: dockerfile.the last USER is not a number above 0",
  ]);
});

describe("a Dockerfile that is none is one finding", () => {
  test.each([
    ["nothing", "# later", "there is no FROM"],
    ["no image", "FROM", "line 1: FROM names no image"],
    ["prose", "Dear builder,\nplease build.", "line 1: unknown instruction"],
    ["an instruction too early", "RUN true\nFROM a", "line 1: RUN stands before FROM"],
    ["an open here-document", "FROM a\n\nRUN <<EOF\ntrue", "line 3: a here-document does not end"],
  ])("%s", async (_, text, problem) => {
    expect(await said(inline(text))).toEqual([`dockerfile: dockerfile: ${problem}`]);
  });

  test("a target that there is none of", async () => {
    expect(await said(inline(GOOD, { target: "training" }))).toEqual([
      "dockerfile: dockerfile: there is no stage of the target's name",
    ]);
  });

  test("a file that is not there", async () => {
    expect(await said(image({ dockerfile: { location: join(folder, "none") } }))).toEqual([
      "dockerfile: dockerfile: it cannot be read (ENOENT)",
    ]);
  });
});

test("is read from where the resource says", async () => {
  writeFileSync(join(folder, "Dockerfile"), GOOD);
  expect(await said(image({ dockerfile: { location: join(folder, "Dockerfile") } }))).toEqual([]);
  expect(await said(image({ context: { location: folder } }))).toEqual([]);
  const older = "docker:index/image:Image";
  expect(await said(image({ build: { context: folder, target: "serving" } }, older))).toEqual([]);
});

test("a path that is not known yet is no pass", async () => {
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
