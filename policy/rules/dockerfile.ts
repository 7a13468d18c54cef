import { readFileSync } from "node:fs";
import { join as joinPath, resolve } from "node:path";
import type { Config } from "../config/schema";
import {
  chainOf,
  DockerfileError,
  type Instruction,
  parseDockerfile,
  type Stage,
} from "../dockerfile/parse";
import { matches } from "../model/pattern";
import { PROJECT } from "../model/project";
import { join, type Resource } from "../model/resource";
import { part } from "../model/stack";
import type { Rule, Verdict } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://docs.docker.com/build/building/best-practices/",
} as const;

const BUILDS = /^(docker-build:index:Image|docker:index\/image:Image)$/;

/** The stages that end up in the image which a resource builds, the target's first. */
function imageOf(resource: Resource): Stage[] | undefined {
  if (!BUILDS.test(resource.type)) {
    return undefined;
  }
  // The older provider has all of it under `build`.
  const props = { ...part(resource.props, "build"), ...resource.props };
  const target = typeof props.target === "string" ? props.target : undefined;
  const args = (props.buildArgs ?? props.args ?? {}) as Record<string, string>;
  return chainOf(parseDockerfile(textOf(props), args), target);
}

function textOf(props: Record<string, unknown>): string {
  const { inline, location } = part(props, "dockerfile");
  // The provider writes an empty text where there is a location.
  if (typeof inline === "string" && inline !== "") {
    return inline;
  }
  const { location: context } = part(props, "context");
  const named = location ?? (typeof props.dockerfile === "string" ? props.dockerfile : undefined);
  const file = named ?? joinPath(`${context ?? props.context ?? "."}`, "Dockerfile");
  try {
    return readFileSync(resolve(PROJECT, `${file}`), "utf8");
  } catch (error) {
    throw new DockerfileError(`it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** A rule about the stages of an image; one rule alone speaks of Dockerfiles that are no Dockerfiles. */
function stageRule(
  texts: Pick<Rule, "name" | "about" | "remedy">,
  check: (chain: readonly Stage[], config: Config) => Verdict,
): Rule {
  return {
    ...base,
    ...texts,
    resource: (resource, config) => {
      try {
        const chain = imageOf(resource);
        return chain && [check(chain, config) ?? []].flat().map((one) => join("dockerfile", one));
      } catch (error) {
        if (error instanceof DockerfileError) {
          return undefined;
        }
        throw error;
      }
    },
  };
}

function withKeyword(chain: readonly Stage[], ...keywords: string[]): Instruction[] {
  return chain.flatMap(({ instructions }) =>
    instructions.filter(({ keyword }) => keywords.includes(keyword)),
  );
}

/** Package managers that keep what they download, and what in a RUN or the environment stops them. */
const CACHES: readonly (readonly [install: RegExp, kept: RegExp])[] = [
  [/\bpip3?\s+install\b/, /--no-cache-dir|PIP_NO_CACHE_DIR=/],
  [/\buv\s+(pip\s+install|sync)\b/, /--no-cache\b|UV_NO_CACHE=/],
  [/\bapt(-get)?\s+(\S+\s+)*install\b/, /rm\s+-\S*r\S*\s+[^&;|]*\/var\/lib\/apt\/lists/],
  [/\bapk\s+(\S+\s+)*add\b/, /--no-cache\b/],
  [/\b(conda|mamba)\s+(\S+\s+)*install\b/, /\b(conda|mamba)\s+clean\b/],
  [/\bnpm\s+(ci|install)\b/, /npm\s+cache\s+clean/],
];

function leftCaches(chain: readonly Stage[]): string[] {
  const environment = withKeyword(chain, "ENV", "ARG")
    .map(({ args }) => args.replace(/^(\w+)\s+/, "$1="))
    .join(" ");
  return withKeyword(chain, "RUN")
    .filter(({ args }) => !args.includes("--mount=type=cache"))
    .filter(({ args }) =>
      CACHES.some(
        ([install, kept]) => install.test(args) && !kept.test(args) && !kept.test(environment),
      ),
    )
    .map(({ line }) => `line ${line} leaves the cache of a package manager in the image`);
}

/** The images that a stack builds. */
export const DOCKERFILE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "dockerfile",
    about: "The Dockerfile of an image can be read.",
    remedy: "Correct the Dockerfile, or its path from the project's folder.",
    resource: (resource) => {
      try {
        imageOf(resource);
        return undefined;
      } catch (error) {
        if (error instanceof DockerfileError) {
          return `dockerfile: ${error.message}`;
        }
        throw error;
      }
    },
  },
  stageRule(
    {
      name: "dockerfile-base",
      about: "An image starts from a slim or distroless one.",
      remedy: "Start the last stage from one of images.baseImages of the policy configuration.",
    },
    (chain, config) =>
      config.images.baseImages.some((pattern) => matches(chain.at(-1)?.base ?? "", pattern))
        ? undefined
        : "the stage's base image is not a slim one",
  ),
  stageRule(
    {
      name: "dockerfile-stages",
      about: "What is needed to build is not in the image.",
      remedy: "Build in a stage of its own, and copy the result with COPY --from.",
    },
    (chain) =>
      withKeyword(chain, "COPY", "RUN").some(({ args }) => /--from=|,from=/.test(args))
        ? undefined
        : "the stage takes nothing from another one",
  ),
  stageRule(
    {
      name: "dockerfile-cache",
      about: "No cache is left in a layer.",
      remedy: "Use --no-cache-dir, RUN --mount=type=cache, or remove the lists in the same RUN.",
    },
    leftCaches,
  ),
  stageRule(
    {
      name: "dockerfile-user",
      about: "An image runs as a user that is not root, by a number that the kubelet can check.",
      remedy: "End the last stage with USER 65532:65532.",
    },
    (chain) => {
      const [user = ""] = chain.flatMap((stage) => withKeyword([stage], "USER").at(-1)?.args ?? []);
      return /^[1-9]\d*(:\d+)?$/.test(user) ? undefined : "the last USER is not a number above 0";
    },
  ),
  stageRule(
    {
      name: "dockerfile-command",
      about: "The server is the first process, and so gets the signal to stop.",
      remedy: 'Write CMD and ENTRYPOINT as lists: ["python", "-m", "app"].',
    },
    (chain) =>
      withKeyword(chain, "CMD", "ENTRYPOINT")
        .filter(({ args }) => !args.startsWith("["))
        .map(({ line }) => `line ${line} runs its command in a shell`),
  ),
];
