import { unquoted, wordsOf } from "./words";

/** One instruction of a Dockerfile, with its continuation lines and here-documents. */
export interface Instruction {
  /** In upper case. */
  readonly keyword: string;
  /** Options before the arguments, such as `--from=builder`. */
  readonly flags: readonly string[];
  readonly args: string;
  /** Number of its first line, from 1. */
  readonly line: number;
}

/** One stage: its base and its instructions. */
export interface Stage {
  /** Empty if it has none. */
  readonly name: string;
  /** An image, or the name of an earlier stage, with variables replaced. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile is invalid, or uses a form that is not supported. */
export class DockerfileError extends Error {
  override readonly name = "DockerfileError";
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL " +
    "STOPSIGNAL USER VOLUME WORKDIR"
  ).split(" "),
);
/** Instructions that can have flags and here-documents. */
const FLAGGED: ReadonlySet<string> = new Set(["ADD", "COPY", "RUN"]);

const FROM = /^(?:--platform=\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?$/i;
const VARIABLE = /\$\{(\w+)(?:(:?)([-+])([^}]*))?\}|\$(\w+)/g;

/**
 * The stages of a Dockerfile.
 * @param buildArgs values of `ARG`s, which `FROM` may use
 * @throws DockerfileError with the number of the invalid line
 */
export function parseDockerfile(
  text: string,
  buildArgs: Readonly<Record<string, string>>,
): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  const variables = new Map<string, string>();
  for (const instruction of instructionsOf(text)) {
    const { keyword, args, line } = instruction;
    const current = stages.at(-1);
    if (keyword === "FROM") {
      const [, image = "", name = ""] = FROM.exec(args) ?? [];
      const base = substitute(image, variables, line);
      if (base === "") {
        throw new DockerfileError(`line ${line}: FROM names no image`);
      }
      stages.push({ name, base, instructions: [] });
    } else if (current !== undefined) {
      current.instructions.push(instruction);
    } else if (keyword === "ARG") {
      define(instruction, buildArgs, variables);
    } else {
      throw new DockerfileError(`line ${line}: ${keyword} is before FROM`);
    }
  }
  if (stages.length === 0) {
    throw new DockerfileError("there is no FROM");
  }
  return stages;
}

/** Defines the variables of an `ARG`. */
function define(
  { args, line }: Instruction,
  buildArgs: Readonly<Record<string, string>>,
  variables: Map<string, string>,
): void {
  for (const word of wordsOf(args)) {
    const [, name = "", initial] = /^([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const value =
      buildArgs[name] ??
      (initial === undefined ? undefined : substitute(unquoted(initial), variables, line));
    if (value !== undefined) {
      variables.set(name, value);
    }
  }
}

function substitute(text: string, variables: ReadonlyMap<string, string>, line: number): string {
  const result = text.replace(
    VARIABLE,
    (_, braced: string, colon: string, operator: string, word: string, plain: string) => {
      const value = variables.get(braced ?? plain);
      const isSet = colon === ":" ? Boolean(value) : value !== undefined;
      if (operator === "+") {
        return isSet ? word : "";
      }
      return isSet ? (value ?? "") : (word ?? "");
    },
  );
  if (result.includes("$")) {
    throw new DockerfileError(`line ${line}: a variable is used in a form that is not supported`);
  }
  return result;
}

function* instructionsOf(text: string): Generator<Instruction> {
  const lines = text.split(/\r?\n/);
  const continued = continuationOf(lines);
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const parts: string[] = [];
    for (; index < lines.length; index += 1) {
      const part = (lines[index] ?? "").trim();
      // Comments and empty lines are allowed between continuation lines.
      const isNothing = part === "" || part.startsWith("#");
      if (isNothing && parts.length === 0) {
        break;
      }
      if (isNothing) {
        continue;
      }
      parts.push(part.endsWith(continued) ? part.slice(0, -1).trim() : part);
      if (!part.endsWith(continued)) {
        break;
      }
    }
    if (parts.length > 0) {
      const joined = parts.join(" ");
      const [bodies, last] = heredocs(joined, lines, index);
      index = last;
      yield instructionIn([joined, ...bodies].join("\n"), line);
    }
  }
}

/** The line continuation character, which a parser directive may change. */
function continuationOf(lines: readonly string[]): string {
  for (const line of lines) {
    const [, name, value] = /^#\s*([a-z]\w*)\s*=\s*(\S+)$/i.exec(line.trim()) ?? [];
    if (name === undefined) {
      break;
    }
    if (name.toLowerCase() === "escape") {
      return value ?? "";
    }
  }
  return "\\";
}

/** Parses one instruction. */
export function instructionIn(text: string, line: number): Instruction {
  const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const keyword = word.toUpperCase();
  if (!KEYWORDS.has(keyword)) {
    throw new DockerfileError(`line ${line}: unknown instruction`);
  }
  const [flags = ""] = (FLAGGED.has(keyword) && /^(?:--\S+\s+)+/.exec(rest)) || [];
  return { keyword, flags: wordsOf(flags), args: rest.slice(flags.length).trim(), line };
}

/** The bodies of the here-documents of a line, and the number of their last line. */
function heredocs(text: string, lines: readonly string[], start: number): [string[], number] {
  const [keyword = "", ...words] = wordsOf(text);
  const bodies: string[] = [];
  let index = start;
  for (const word of FLAGGED.has(keyword.toUpperCase()) ? words : []) {
    const [, dash, , mark] = /^\d*<<(-?)(["']?)([A-Za-z_]\w*)\2$/.exec(word) ?? [];
    if (mark === undefined) {
      continue;
    }
    const isEnd = (line: string) => (dash ? line.replace(/^\t+/, "") : line) === mark;
    const end = lines.findIndex((line, at) => at > index && isEnd(line));
    if (end < 0) {
      throw new DockerfileError(`line ${start + 1}: a here-document does not end`);
    }
    bodies.push(lines.slice(index + 1, end).join("\n"));
    index = end;
  }
  return [bodies, index];
}
