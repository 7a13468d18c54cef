import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { stackSchema } from "./schema";

/** The part of a JSON Schema that tells what may stand where. */
export interface SchemaNode {
  description?: string;
  default?: unknown;
  const?: unknown;
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
}

/** The stack's configuration as JSON Schema, for editors, for the README's table and for remedies. */
export const stackJsonSchema = z.toJSONSchema(stackSchema, { io: "input" }) as SchemaNode;

/** The nodes that may stand at a path: more than one where the schema leaves a choice. */
function nodesAt(
  path: readonly PropertyKey[],
  from: SchemaNode[] = [stackJsonSchema],
): SchemaNode[] {
  const here = from.flatMap((node) => [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])]);
  const [key, ...rest] = path;
  if (key === undefined) return here;
  const next = here.map((node) =>
    typeof key === "number" ? node.items : node.properties?.[String(key)],
  );
  return nodesAt(
    rest,
    next.filter((node) => node !== undefined),
  );
}

function written(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

/** What belongs at a path, in the schema's own words. */
function remedy(path: readonly PropertyKey[]): string {
  const descriptions = new Set(nodesAt(path).flatMap(({ description }) => description ?? []));
  return descriptions.size > 0
    ? `it is: ${[...descriptions].join(" / ")}`
    : "see the table of the configuration in README.md";
}

/** How many single letters must be changed, added or left out to turn one word into the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(
        Math.min(
          (row[j + 1] ?? 0) + 1,
          (next[j] ?? 0) + 1,
          (row[j] ?? 0) + (letter === other ? 0 : 1),
        ),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function unknownKey(path: readonly PropertyKey[], name: string): string {
  const known = [...new Set(nodesAt(path).flatMap((node) => Object.keys(node.properties ?? {})))];
  const key = written([...path, name]);
  if (known.includes(name)) {
    return `${key}: has no meaning beside what is chosen here; leave it out, or choose another mode or kind`;
  }
  const letters = (word: string) => distance(word.toLowerCase(), name.toLowerCase());
  const least = Math.min(...known.map(letters));
  const near = known.filter((word) => letters(word) === least).join(" or ");
  const hint = least <= 2 ? `did you mean ${near}?` : `known here: ${known.join(", ")}`;
  return `${key}: is no known key; ${hint}`;
}

/** What is wrong, without the value itself: it could be a secret. */
function reason(issue: z.core.$ZodIssue): string | undefined {
  const letters = "origin" in issue && issue.origin === "string" ? " characters" : "";
  switch (issue.code) {
    case "invalid_type":
      if (issue.message.endsWith("received undefined")) return "is missing";
      return `must be of type ${issue.expected === "int" ? "whole number" : issue.expected}`;
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? `must be one of ${issue.options.join(", ")}`
        : "has none of the allowed forms";
    case "invalid_value":
      return `must be one of ${issue.values.join(", ")}`;
    case "too_small":
      return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${letters}`;
    case "too_big":
      return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${letters}`;
    default:
      return undefined;
  }
}

/** One line for each finding: key, what is wrong, what to write instead. */
export function explain(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((name) => unknownKey(issue.path, name));
  if (issue.code === "invalid_key")
    return issue.issues.map(({ message }) => `${written(issue.path)}: ${message}`);
  const what = reason(issue);
  // The vocabulary's own messages name reason and remedy already.
  return [`${written(issue.path)}: ${what ? `${what}; ${remedy(issue.path)}` : issue.message}`];
}

/** All problems of a stack's configuration, one a line. */
export function problemReport(problems: readonly string[]): string {
  const lines = problems.map((problem) => `  ${pulumi.getProject()}:${problem}`);
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return [`The stack's configuration has ${count}; nothing was changed:`, ...lines].join("\n");
}
