import { readFileSync } from "node:fs";
import { join as joinPath, resolve } from "node:path";
import type { Config } from "../config/schema";
import { leavesCache } from "../dockerfile/caches";
import { chainOf } from "../dockerfile/chain";
import {
  DockerfileError,
  type Instruction,
  parseDockerfile,
  type Stage,
} from "../dockerfile/parse";
import { execForm } from "../dockerfile/words";
import { parseImage } from "../model/image";
import { matches } from "../model/pattern";
import { PROJECT } from "../model/project";
import { join, type Resource } from "../model/resource";
import { recordAt } from "../model/stack";
import type { Rule, Violations } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://docs.docker.com/build/building/best-practices/",
} as const;

const BUILDS = /^(docker-build:index:Image|docker:index\/image:Image)$/;

/** Reads one property of an image. */
type Property = (name: string) => unknown;

/** The stages of the image that a resource builds, the target first. */
function imageOf({ props, type }: Resource): Stage[] | undefined {
  if (!BUILDS.test(type)) {
    return undefined;
  }
  // The older provider has the properties under `build`. Only required ones are read: others may be unknown.
  const build = recordAt(props, "build");
  const property: Property = (name) => build[name] ?? props[name];
  const file = fileOf(property);
  try {
    const args = property("buildArgs") ?? property("args") ?? {};
    const stages = parseDockerfile(textOf(property, file), args as Record<string, string>);
    const chain = chainOf(stages, `${property("target") ?? ""}`);
    refuseReplaced(chain, property("context"));
    return chain;
  } catch (error) {
    if (error instanceof DockerfileError && file !== undefined) {
      throw new DockerfileError(`${file}: ${error.message}`);
    }
    throw error;
  }
}

/** The path of the Dockerfile, relative to the project; undefined if its text is a property. */
function fileOf(property: Property): string | undefined {
  const dockerfile = property("dockerfile");
  const { inline, location } = recordAt({ dockerfile }, "dockerfile");
  // The provider sets an empty text if there is a location.
  if (typeof inline === "string" && inline !== "") {
    return undefined;
  }
  const named = location ?? (typeof dockerfile === "string" ? dockerfile : undefined);
  if (named !== undefined) {
    return `${named}`;
  }
  const context = property("context");
  return joinPath(`${recordAt({ context }, "context").location ?? context ?? "."}`, "Dockerfile");
}

function textOf(property: Property, file: string | undefined): string {
  if (file === undefined) {
    return `${recordAt({ dockerfile: property("dockerfile") }, "dockerfile").inline}`;
  }
  try {
    return readFileSync(resolve(PROJECT, file), "utf8");
  } catch (error) {
    throw new DockerfileError(`it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Refuses named contexts that replace a stage or image: then the Dockerfile does not show the base image. */
function refuseReplaced(chain: readonly Stage[], context: unknown): void {
  const names = new Set(Object.keys(recordAt({ context }, "context", "named")).map(fullName));
  if (chain.some((stage) => names.has(fullName(stage.name)) || names.has(fullName(stage.base)))) {
    throw new DockerfileError("context.named replaces the base image of one of its stages");
  }
}

/** The full form of an image reference; other texts are not changed. */
function fullName(text: string): string {
  const { registry, repository, tag = "latest", digest = "" } = parseImage(text) ?? {};
  return repository === undefined ? text : `${registry}/${repository}:${tag}${digest}`;
}

/** A rule for the stages of an image; only one rule reports invalid Dockerfiles. */
function stageRule(
  texts: Pick<Rule, "name" | "description" | "remedy">,
  check: (chain: readonly Stage[], config: Config) => Violations,
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

function leftCaches(chain: readonly Stage[]): string[] {
  const environment = withKeyword(chain, "ENV", "ARG")
    .map(({ args }) => args.replace(/^(\w+)\s+/, "$1="))
    .join(" ");
  return withKeyword(chain, "RUN")
    .filter((run) => leavesCache(run, environment))
    .map(({ line }) => `line ${line} leaves the cache of a package manager in the image`);
}

/** Whether a pattern allows an image. */
function isAllowed(image: string, pattern: string): boolean {
  if (pattern.includes("/") || !pattern.includes("*")) {
    return matches(image, pattern);
  }
  const folders = image.split("/");
  const name = folders.pop() ?? "";
  // A path segment must match the whole pattern: `gcr.io/distroless/python3` is a distroless image, and
  // `example.com/alpine-mirror/ubuntu` is not an Alpine image.
  return matches(name, pattern) || folders.includes(pattern.replaceAll("*", ""));
}

/** Whether an instruction copies from another stage or image. */
function copiesFromStage({ keyword, flags }: Instruction): boolean {
  return flags.some((flag) =>
    keyword === "COPY" ? flag.startsWith("--from=") : /^--mount=(.*,)?from=/.test(flag),
  );
}

const SHELL = /(^|\/)(|ba|da|a|z|k)sh$/;

/** Whether a command runs in a shell, which does not forward signals; `exec` replaces the shell. */
function isInShell({ args }: Instruction): boolean {
  const words = execForm(args);
  if (words === undefined) {
    return true;
  }
  const shell = words.findIndex((word) => SHELL.test(word));
  const option = words.findIndex((word, at) => shell >= 0 && at > shell && /^-\w*c$/.test(word));
  return option >= 0 && !/^\s*exec\s/.test(words[option + 1] ?? "");
}

/** Rules for images that a stack builds. */
export const DOCKERFILE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "dockerfile",
    description: "The Dockerfile of an image can be read.",
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
      description: "An image has a slim or distroless base image.",
      remedy: "Use one of images.baseImages of the policy configuration as base of the last stage.",
    },
    (chain, config) =>
      config.images.baseImages.some((pattern) => isAllowed(chain.at(-1)?.base ?? "", pattern))
        ? undefined
        : "the base image of the stage is not a slim one",
  ),
  stageRule(
    {
      name: "dockerfile-stages",
      description: "Build tools are not in the image.",
      remedy: "Build in a separate stage, and copy the result with COPY --from.",
    },
    (chain) =>
      withKeyword(chain, "COPY", "RUN").some(copiesFromStage)
        ? undefined
        : "the stage copies nothing from another one",
  ),
  stageRule(
    {
      name: "dockerfile-cache",
      description: "No layer contains a package manager's cache.",
      remedy: "Use --no-cache-dir, RUN --mount=type=cache, or remove the lists in the same RUN.",
    },
    leftCaches,
  ),
  stageRule(
    {
      name: "dockerfile-user",
      description:
        "An image runs as a user other than root, with a numeric id that the kubelet can check.",
      remedy: "End the last stage with USER 65532:65532.",
    },
    (chain) => {
      const [user = ""] = chain.flatMap((stage) => withKeyword([stage], "USER").at(-1)?.args ?? []);
      if (/^[1-9]\d*:0+$/.test(user)) {
        return "the last USER is in root's group";
      }
      return /^[1-9]\d*(:\d+)?$/.test(user) ? undefined : "the last USER is not a number above 0";
    },
  ),
  stageRule(
    {
      name: "dockerfile-command",
      description: "The server is the first process, so that it gets SIGTERM.",
      remedy: 'Write CMD and ENTRYPOINT as lists: ["python", "-m", "app"].',
    },
    (chain) =>
      withKeyword(chain, "CMD", "ENTRYPOINT")
        .filter(isInShell)
        .map(({ line }) => `line ${line} runs its command in a shell`),
  ),
];
