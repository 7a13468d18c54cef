/** One instruction of a Dockerfile, continuation lines and here-documents joined. */
export interface Instruction {
  /** In capitals. */
  readonly keyword: string;
  readonly args: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

/** One stage: what it starts from, and what it does. */
export interface Stage {
  readonly name: string;
  /** An image, or the name of an earlier stage; variables replaced. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile that BuildKit would refuse as well. */
export class DockerfileError extends Error {
  override readonly name = "DockerfileError";
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL " +
    "STOPSIGNAL USER VOLUME WORKDIR"
  ).split(" "),
);

const HEREDOC = /<<-?(["']?)([A-Za-z_]\w*)\1/g;
const FROM = /^(?:--platform=\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?$/i;
const VARIABLE = /\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)/g;

/**
 * The stages of a Dockerfile.
 * @param buildArgs values of `ARG`s, which stand in `FROM`
 * @throws DockerfileError with the line that is wrong
 */
export function parseDockerfile(text: string, buildArgs: Record<string, string>): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  const variables: Record<string, string> = {};
  for (const instruction of instructionsOf(text)) {
    const { keyword, args, line } = instruction;
    const current = stages.at(-1);
    if (keyword === "FROM") {
      const [, image, name] = FROM.exec(args) ?? [];
      if (image === undefined) {
        throw new DockerfileError(`line ${line}: FROM names no image`);
      }
      const base = substitute(image, variables);
      stages.push({ name: name ?? `${stages.length}`, base, instructions: [] });
    } else if (current !== undefined) {
      current.instructions.push(instruction);
    } else if (keyword === "ARG") {
      const [name = "", ...value] = args.split("=");
      variables[name] = buildArgs[name] ?? value.join("=").replace(/^(["'])(.*)\1$/, "$2");
    } else {
      throw new DockerfileError(`line ${line}: ${keyword} stands before FROM`);
    }
  }
  if (stages.length === 0) {
    throw new DockerfileError("there is no FROM");
  }
  return stages;
}

/**
 * The stages whose layers end up in an image: that of the target, and those that it starts from.
 * @param target name of a stage; the last one where it is undefined
 * @throws DockerfileError for a target that there is none of
 */
export function chainOf(stages: readonly Stage[], target: string | undefined): Stage[] {
  const named = (name: string) =>
    stages.findLastIndex((stage) => stage.name.toLowerCase() === name.toLowerCase());
  let index = target === undefined ? stages.length - 1 : named(target);
  if (index < 0) {
    throw new DockerfileError("there is no stage of the target's name");
  }
  const chain: Stage[] = [];
  for (let stage = stages[index]; stage !== undefined && !chain.includes(stage); ) {
    chain.push(stage);
    index = named(stage.base);
    stage = index < 0 ? undefined : stages[index];
  }
  return chain;
}

function substitute(text: string, variables: Record<string, string>): string {
  return text.replace(
    VARIABLE,
    (_, braced: string, fallback: string, plain: string) =>
      variables[braced ?? plain] || fallback || "",
  );
}

function* instructionsOf(text: string): Generator<Instruction> {
  const lines = text.split(/\r?\n/);
  const continued = /^#\s*escape\s*=\s*`/im.test(lines[0] ?? "") ? "`" : "\\";
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const parts: string[] = [];
    for (; index < lines.length; index += 1) {
      const part = (lines[index] ?? "").trim();
      // Comments and empty lines may stand between continued lines.
      const isNothing = part === "" || part.startsWith("#");
      if (isNothing && parts.length === 0) break;
      if (isNothing) continue;
      parts.push(part.endsWith(continued) ? part.slice(0, -1).trim() : part);
      if (!part.endsWith(continued)) break;
    }
    if (parts.length > 0) {
      const joined = parts.join(" ");
      const [bodies, last] = heredocs(joined, lines, index);
      index = last;
      yield instruction([joined, ...bodies].join("\n"), line);
    }
  }
}

function instruction(text: string, line: number): Instruction {
  const [, word = "", args = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const keyword = word.toUpperCase();
  if (!KEYWORDS.has(keyword)) {
    throw new DockerfileError(`line ${line}: unknown instruction`);
  }
  return { keyword, args: args.trim(), line };
}

/** The bodies of the here-documents that a line begins, and the line at which they end. */
function heredocs(text: string, lines: readonly string[], start: number): [string[], number] {
  const bodies: string[] = [];
  let index = start;
  if (/^(RUN|COPY|ADD)\s/i.test(text)) {
    for (const [, , mark] of text.matchAll(HEREDOC)) {
      const end = lines.findIndex((line, at) => at > index && line.trim() === mark);
      if (end < 0) {
        throw new DockerfileError(`line ${start + 1}: a here-document does not end`);
      }
      bodies.push(lines.slice(index + 1, end).join("\n"));
      index = end;
    }
  }
  return [bodies, index];
}
