import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { Rule } from "../rules/rule";
import { type Config, configSchema } from "./schema";

/** Environment variable with the path of a policy configuration, instead of `policy/stacks/STACK.json`. */
export const CONFIG_VARIABLE = "ML_PLATFORM_POLICY_CONFIG";

/** A policy configuration is invalid; the message names the file and every invalid key. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(file: string, problems: readonly string[]) {
    super(`Policy configuration ${file}: ${problems.join("; ")}`);
    // The engine prints the stack trace; only the message is useful here.
    this.stack = this.message;
  }
}

/**
 * The policy configuration of a stack: the file of the environment variable, or the file with the
 * name of the stack in `folder`, or the defaults.
 * @throws ConfigError for a file that is missing, not JSON, or not valid
 */
export function loadConfig(
  stack: string,
  rules: readonly Rule[],
  folder: string,
  environment: NodeJS.ProcessEnv = process.env,
  now: Date = new Date(),
): Config {
  const named = environment[CONFIG_VARIABLE];
  const file = named ?? join(folder, `${stack}.json`);
  if (named === undefined && !existsSync(file)) {
    return configSchema.parse({});
  }
  return parseConfig(file, read(file), rules, now);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(file, [`cannot be read (${code}); set ${CONFIG_VARIABLE} to a file`]);
  }
}

/**
 * Checks the text of a policy configuration. A mandatory rule cannot be made advisory: an object can
 * only be exempted, with a reason and a date.
 * @param file the file name in messages
 * @throws ConfigError
 */
export function parseConfig(
  file: string,
  text: string,
  rules: readonly Rule[],
  now: Date = new Date(),
): Config {
  const result = configSchema.safeParse(parseJson(file, text));
  if (!result.success) {
    throw new ConfigError(file, result.error.issues.map(describe));
  }
  const problems = [
    ...levelProblems(result.data, rules),
    ...exemptionProblems(result.data, rules),
    ...expiryProblems(result.data, now),
  ];
  if (problems.length > 0) {
    throw new ConfigError(file, problems);
  }
  return result.data;
}

/** Parses JSON. Errors quote nothing of the file, which may contain a secret by mistake. */
function parseJson(file: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const [place = "at its end"] = /line \d+ column \d+/.exec((error as Error).message) ?? [];
    throw new ConfigError(file, [`is not JSON (${place})`]);
  }
  // JSON.parse takes the last value of a repeated key; a YAML parser, which also reads JSON, reports it.
  const repeated = parseDocument(text).errors.find(({ code }) => code === "DUPLICATE_KEY");
  if (repeated !== undefined) {
    throw new ConfigError(file, [`has a repeated key (line ${repeated.linePos?.[0].line})`]);
  }
  return value;
}

function describe(issue: z.core.$ZodIssue): string {
  const { path } = issue;
  const message = issue.code === "invalid_key" ? issue.issues[0]?.message : issue.message;
  return path.length === 0 ? `${message}` : `${z.core.toDotPath(path)}: ${message}`;
}

function levelProblems({ levels }: Config, rules: readonly Rule[]): string[] {
  return Object.entries(levels).flatMap(([name, level]) => {
    const rule = rules.find((candidate) => candidate.name === name);
    if (rule === undefined) {
      return unknownRule(`levels.${name}`);
    }
    if (rule.level === "mandatory" && level !== "mandatory") {
      return `levels.${name}: the rule is mandatory; write an exemption, with a reason and a date`;
    }
    return rule.alwaysOn && level === "off"
      ? `levels.${name}: the rule can't be switched off: it reports what other rules could not check`
      : [];
  });
}

function exemptionProblems({ exemptions }: Config, rules: readonly Rule[]): string[] {
  const names = new Set(rules.map((rule) => rule.name));
  return exemptions.flatMap((exemption, index) =>
    exemption.rules.flatMap((name, place) =>
      names.has(name) ? [] : unknownRule(`exemptions[${index}].rules[${place}]`),
    ),
  );
}

const YEAR = 366 * 24 * 60 * 60 * 1000;

/** Without a review, an exemption would disable a rule for good. */
function expiryProblems({ exemptions }: Config, now: Date): string[] {
  const latest = new Date(now.getTime() + YEAR).toISOString().slice(0, 10);
  return exemptions.flatMap(({ expires }, index) =>
    expires > latest ? `exemptions[${index}].expires: must be within a year` : [],
  );
}

function unknownRule(key: string): string {
  return `${key}: there is no such rule; policy/README.md lists them`;
}
