import { expect, test } from "vitest";
import { GOOD, inline, said } from "./dockerfiles";

test("accepts slim images that are built in stages", async () => {
  expect(await said(inline(GOOD))).toEqual([]);
  expect(
    await said(inline(GOOD, { buildArgs: { BASE: "mirror:5000/python:3.13-slim@sha256:0" } })),
  ).toEqual([]);
});

test.each<[string, string, string[]]>([
  [
    "a large base image",
    GOOD.replace("3.13-slim", "3.13"),
    ["dockerfile-base: dockerfile.the base image of the stage is not a slim one"],
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
    "root after another user",
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
    ["dockerfile-stages: dockerfile.the stage copies nothing from another one"],
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
  [
    "root's group",
    GOOD.replace("65532:65532", "65532:0"),
    ["dockerfile-user: dockerfile.the last USER is in root's group"],
  ],
  [
    "root, by ONBUILD of the base stage",
    GOOD.replace("USER 65532:65532", "USER 65532:65532\nONBUILD USER 0"),
    ["dockerfile-user: dockerfile.the last USER is not a number above 0"],
  ],
  [
    "a list in single quotes, which is the shell form",
    GOOD.replace('["-m", "serving"]', "['-m', 'serving']"),
    ["dockerfile-command: dockerfile.line 17 runs its command in a shell"],
  ],
  [
    "a shell in exec form",
    GOOD.replace('["python"]', '["/bin/bash", "-ec", "python -m serving"]'),
    ["dockerfile-command: dockerfile.line 16 runs its command in a shell"],
  ],
  [
    "a text that looks like COPY --from",
    GOOD.replace("COPY --from=builder /venv /venv", "RUN echo --from=builder,from=x"),
    ["dockerfile-stages: dockerfile.the stage copies nothing from another one"],
  ],
  [
    "the cache of pip, in exec form",
    GOOD.replace("COPY --from", 'RUN ["pip", "install", "x"]\nCOPY --from'),
    ["dockerfile-cache: dockerfile.line 15 leaves the cache of a package manager in the image"],
  ],
  [
    "the cache of pip with a mount for another one",
    GOOD.replace(
      "COPY --from",
      "RUN --mount=type=cache,target=/var/lib/apt pip install x\nCOPY --from",
    ),
    ["dockerfile-cache: dockerfile.line 15 leaves the cache of a package manager in the image"],
  ],
  [
    "the cache of dnf",
    GOOD.replace("COPY --from", "RUN dnf -y install git\nCOPY --from"),
    ["dockerfile-cache: dockerfile.line 15 leaves the cache of a package manager in the image"],
  ],
  [
    "a base in a build argument",
    GOOD.replace("BASE=python:3.13-slim", "BASE=ubuntu:24.04 OTHER=-slim"),
    ["dockerfile-base: dockerfile.the base image of the stage is not a slim one"],
  ],
  [
    "a base in a folder with the name of a slim image",
    GOOD.replace("BASE=python:3.13-slim", "BASE=example.com/alpine-mirror/ubuntu"),
    ["dockerfile-base: dockerfile.the base image of the stage is not a slim one"],
  ],
  [
    "a base with the name of a later stage",
    GOOD.replace("BASE=python:3.13-slim", "BASE=fat").replace(
      "FROM runtime",
      "FROM python:3.13-slim AS fat\n\nFROM runtime",
    ),
    ["dockerfile-base: dockerfile.the base image of the stage is not a slim one"],
  ],
  [
    "USER in a continuation line",
    GOOD.replace("ARG", "# escape=`\nARG")
      .replaceAll("\\\n", "`\n")
      .replace("USER", "RUN true `\n  USER"),
    ["dockerfile-user: dockerfile.the last USER is not a number above 0"],
  ],
  [
    "USER in a here-document with an indented end mark",
    GOOD.replace("USER", "RUN <<EOF\n EOF\nUSER").replace("FROM runtime", "EOF\nFROM runtime"),
    ["dockerfile-user: dockerfile.the last USER is not a number above 0"],
  ],
])("reports %s", async (_, text, problems) => {
  expect(await said(inline(text))).toEqual(problems);
});

test.each([
  ["--no-cache-dir", "RUN pip install --no-cache-dir x"],
  ["the environment", "ENV PIP_NO_CACHE_DIR=1\nRUN pip install x"],
  ["the environment, in its old form", "ENV PIP_NO_CACHE_DIR 1\nRUN pip install x"],
  ["a mount", "RUN --mount=type=cache,target=/root/.cache/pip pip install x"],
  [
    "a mount that the environment names",
    "ENV PIP_CACHE_DIR=/cache\nRUN --mount=target=/cache,type=cache pip install x",
  ],
  ["exec form", 'RUN ["pip", "install", "--no-cache-dir", "x"]'],
  ["cleaning up", "RUN dnf -y install git && dnf clean all"],
  ["rm of the lists", "RUN apt-get install -y git && rm -rf /var/lib/apt/lists/*"],
  ["a here-document", "RUN <<EOF\napt-get install -y git\nrm -rf /var/lib/apt/lists/*\nEOF"],
])("no cache is left by %s", async (_, lines) => {
  expect(await said(inline(GOOD.replace("COPY --from", `${lines}\nCOPY --from`)))).toEqual([]);
});

test.each([
  ["distroless's", "gcr.io/distroless/python3-debian12"],
  ["Chainguard's", "cgr.dev/chainguard/python:latest"],
  ["Alpine's", "mirror.example.com/library/python:3.13-alpine"],
  ["one of a default", `\${NONE:-python:3.13-slim}`],
  ["one of an alternative", `python:3.13\${BASE:+-slim}`],
])("a base may be %s", async (_, base) => {
  expect(
    await said(inline(GOOD.replace(`FROM \${BASE} AS runtime`, `FROM ${base} AS runtime`))),
  ).toEqual([]);
});

test.each([
  ["a shift is", "RUN echo $((1<<SHIFT))"],
  ["quoted brackets are", 'RUN echo "<<X"'],
])("%s not a here-document", async (_, line) => {
  expect(await said(inline(GOOD.replace("COPY --from", `${line}\nCOPY --from`)))).toEqual([]);
});

test("a shell that a command replaces with exec is accepted", async () => {
  const text = GOOD.replace('["python"]', '["sh", "-c", "exec python \\"$@\\"", "--"]');
  expect(await said(inline(text))).toEqual([]);
});

test("the target stage is checked, not the last one", async () => {
  expect(await said(inline(GOOD, { target: "builder" }))).toEqual([
    "dockerfile-stages: dockerfile.the stage copies nothing from another one",
    "dockerfile-cache: dockerfile.line 4 leaves the cache of a package manager in the image",
    "dockerfile-cache: dockerfile.line 6 leaves the cache of a package manager in the image",
    "dockerfile-user: dockerfile.the last USER is not a number above 0",
  ]);
});
