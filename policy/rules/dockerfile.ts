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
import { part } from "../model/stack";
import type { Rule, Verdict } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://docs.docker.com/build/building/best-practices/",
} as const;

const BUILDS = /^(docker-build:index:Image|docker:index\/image:Image)$/;

/** Reads one property of an image. */
type Property = (name: string) => unknown;

/** The stages that end up in the image which a resource builds, the target's first. */
function imageOf({ props, type }: Resource): Stage[] | undefined {
  if (!BUILDS.test(type)) {
    return undefined;
  }
  // The older provider has all of it under `build`. Only what is needed is read: the rest may be unknown.
  const build = part(props, "build");
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

/** The path of the Dockerfile from the project's folder; undefined where the text is a property. */
function fileOf(property: Property): string | undefined {
  const dockerfile = property("dockerfile");
  const { inline, location } = part({ dockerfile }, "dockerfile");
  // The provider writes an empty text where there is a location.
  if (typeof inline === "string" && inline !== "") {
    return undefined;
  }
  const named = location ?? (typeof dockerfile === "string" ? dockerfile : undefined);
  if (named !== undefined) {
    return `${named}`;
  }
  const context = property("context");
  return joinPath(`${part({ context }, "context").location ?? context ?? "."}`, "Dockerfile");
}

function textOf(property: Property, file: string | undefined): string {
  if (file === undefined) {
    return `${part({ dockerfile: property("dockerfile") }, "dockerfile").inline}`;
  }
  try {
    return readFileSync(resolve(PROJECT, file), "utf8");
  } catch (error) {
    throw new DockerfileError(`it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Refuses contexts that stand for a stage or image of the chain: then the Dockerfile does not say what it is. */
function refuseReplaced(chain: readonly Stage[], context: unknown): void {
  const names = new Set(Object.keys(part({ context }, "context", "named")).map(fullName));
  if (chain.some((stage) => names.has(fullName(stage.name)) || names.has(fullName(stage.base)))) {
    throw new DockerfileError("context.named replaces what one of its stages starts from");
  }
}

/** An image's reference with all that may be left out; other texts as they are. */
function fullName(text: string): string {
  const { registry, repository, tag = "latest", digest = "" } = parseImage(text) ?? {};
  return repository === undefined ? text : `${registry}/${repository}:${tag}${digest}`;
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

function leftCaches(chain: readonly Stage[]): string[] {
  const environment = withKeyword(chain, "ENV", "ARG")
    .map(({ args }) => args.replace(/^(\w+)\s+/, "$1="))
    .join(" ");
  return withKeyword(chain, "RUN")
    .filter((run) => leavesCache(run, environment))
    .map(({ line }) => `line ${line} leaves the cache of a package manager in the image`);
}

/** Whether an image is one that a pattern allows. */
function isAllowed(image: string, pattern: string): boolean {
  if (pattern.includes("/") || !pattern.includes("*")) {
    return matches(image, pattern);
  }
  const folders = image.split("/");
  const name = folders.pop() ?? "";
  // A folder has to be all that a pattern says: `gcr.io/distroless/python3` is one of distroless', and
  // `example.com/alpine-mirror/ubuntu` is none of Alpine's.
  return matches(name, pattern) || folders.includes(pattern.replaceAll("*", ""));
}

/** Whether an instruction takes something from another stage or image. */
function isTaking({ keyword, flags }: Instruction): boolean {
  return flags.some((flag) =>
    keyword === "COPY" ? flag.startsWith("--from=") : /^--mount=(.*,)?from=/.test(flag),
  );
}

const SHELL = /(^|\/)(|ba|da|a|z|k)sh$/;

/** Whether a command runs below a shell, which keeps signals from it; one that replaces its shell does not. */
function isInShell({ args }: Instruction): boolean {
  const words = execForm(args);
  if (words === undefined) {
    return true;
  }
  const shell = words.findIndex((word) => SHELL.test(word));
  const option = words.findIndex((word, at) => shell >= 0 && at > shell && /^-\w*c$/.test(word));
  return option >= 0 && !/^\s*exec\s/.test(words[option + 1] ?? "");
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
      config.images.baseImages.some((pattern) => isAllowed(chain.at(-1)?.base ?? "", pattern))
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
      withKeyword(chain, "COPY", "RUN").some(isTaking)
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
      if (/^[1-9]\d*:0+$/.test(user)) {
        return "the last USER is in root's group";
      }
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
        .filter(isInShell)
        .map(({ line }) => `line ${line} runs its command in a shell`),
  ),
];
