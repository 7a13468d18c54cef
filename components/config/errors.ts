import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

/** The part of a JSON Schema that tells which values are allowed where. */
export interface SchemaNode {
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly $ref?: string;
  readonly $defs?: Record<string, SchemaNode>;
  readonly properties?: Record<string, SchemaNode>;
  readonly items?: SchemaNode;
  readonly anyOf?: SchemaNode[];
  readonly oneOf?: SchemaNode[];
}

/** A configuration's schema as JSON Schema, for editors, for the table of the configuration, and for error messages. */
export function jsonSchemaOf(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: "input" }) as SchemaNode;
}

/** A node itself, or the shared one that it refers to. */
export function resolved(node: SchemaNode, root: SchemaNode): SchemaNode {
  const shared = node.$ref && root.$defs?.[node.$ref.replace("#/$defs/", "")];
  return shared ? { ...shared, ...node } : node;
}

/** The nodes that are allowed at a path: more than one if the schema has alternatives. */
function nodesAt(
  path: readonly PropertyKey[],
  root: SchemaNode,
  from: readonly SchemaNode[] = [root],
): SchemaNode[] {
  const here = from
    .map((node) => resolved(node, root))
    .flatMap((node) => [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])]);
  const [key, ...rest] = path;
  if (key === undefined) {
    return here;
  }
  const next = here
    .map((node) => resolved(node, root))
    .map((node) => (typeof key === "number" ? node.items : node.properties?.[String(key)]));
  return nodesAt(
    rest,
    root,
    next.filter((node) => node !== undefined),
  );
}

function keyOf(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
}

/** The description of a path in the schema. */
function remedy(path: readonly PropertyKey[], root: SchemaNode): string {
  const descriptions = new Set(nodesAt(path, root).flatMap(({ description }) => description ?? []));
  return descriptions.size > 0
    ? `expected: ${[...descriptions].join(" / ")}`
    : "see the table of the configuration in components/README.md";
}

/** How many characters must be changed, added or removed to turn one word into the other (Levenshtein distance). */
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

/** The keys that decide which other keys are allowed. */
const SELECTORS = ["mode", "kind"];

/** A key that exists only with another `mode` or `kind`, or that does not exist at all. */
function unknownKey(path: readonly PropertyKey[], name: string, root: SchemaNode, value: unknown) {
  const nodes = nodesAt(path, root);
  const known = [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
  const key = keyOf([...path, name]);
  if (known.includes(name)) {
    const chosen = SELECTORS.find((selector) => known.includes(selector)) ?? "mode";
    const set = (value as Record<string, unknown> | undefined)?.[chosen];
    const allowed = nodes.filter(({ properties }) => properties?.[name] && properties[chosen]);
    const choices = allowed.map(({ properties }) => `${properties?.[chosen]?.const}`);
    return `${key}: not allowed with \`${chosen}: ${set}\`; remove it, or set ${chosen} to ${choices.join(" or ")}`;
  }
  const letters = (word: string) => distance(word.toLowerCase(), name.toLowerCase());
  const least = Math.min(...known.map(letters));
  const near = known.filter((word) => letters(word) === least).join(" or ");
  const hint = least <= 2 ? `did you mean ${near}?` : `known keys: ${known.join(", ")}`;
  return `${key}: unknown key; ${hint}`;
}

/** What is wrong, without the value itself: it could be a secret. */
function reason(issue: z.core.$ZodIssue): string | undefined {
  const unit = "origin" in issue && issue.origin === "string" ? " characters" : "";
  switch (issue.code) {
    case "invalid_type":
      if (issue.message.endsWith("received undefined")) {
        return "is missing";
      }
      return `must be of type ${issue.expected === "int" ? "whole number" : issue.expected}`;
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? `must be one of ${issue.options.join(", ")}`
        : "has none of the allowed types";
    case "invalid_value":
      return `must be one of ${issue.values.join(", ")}`;
    case "too_small":
      return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${unit}`;
    case "too_big":
      return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${unit}`;
    default:
      return undefined;
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}

/**
 * One line for each mistake that a schema found: key, what is wrong, what to write instead.
 * @param value what was checked
 */
function explain(issue: z.core.$ZodIssue, root: SchemaNode, value: unknown): string[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => unknownKey(path, name, root, valueAt(value, path)));
  }
  if (issue.code === "invalid_key") {
    return issue.issues.map(({ message }) => `${keyOf(path)}: ${message}`);
  }
  const what = reason(issue);
  // Messages of the types in config/types.ts have reason and remedy already.
  return [`${keyOf(path)}: ${what ? `${what}; ${remedy(path, root)}` : issue.message}`];
}

/** A value parsed by a schema, or one line for each mistake in it. */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
): { data: z.output<S>; errors: [] } | { data: undefined; errors: string[] } {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    return { data: parsed.data, errors: [] };
  }
  const root = jsonSchemaOf(schema);
  return {
    data: undefined,
    errors: parsed.error.issues.flatMap((issue) => explain(issue, root, value)),
  };
}

/**
 * The settings of a component with their defaults.
 * @param name of the component, for messages
 * @throws pulumi.RunError with one line for each mistake
 */
export function parseArgs<S extends z.ZodType>(
  schema: S,
  args: unknown,
  name: string,
): z.output<S> {
  const { data, errors } = check(schema, args);
  if (errors.length > 0) {
    throw new pulumi.RunError([`${name} has invalid arguments:`, ...errors].join("\n  "));
  }
  return data as z.output<S>;
}

/**
 * All errors of a stack's configuration, one per line.
 * @param project prefix of its keys
 * @param file name of the stack's file
 */
export function errorReport(
  errors: readonly string[],
  project = pulumi.getProject(),
  file?: string,
): string {
  const lines = errors.map((error) => `  ${project}:${error}`);
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  const subject = file ? `${file}: the` : "The";
  return [`${subject} stack's configuration has ${count}; nothing was changed:`, ...lines].join(
    "\n",
  );
}
