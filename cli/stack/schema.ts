import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonSchemaOf, type SchemaNode } from "../../components/config/errors";
import { stackSchema } from "../../components/config/schema";
import { ROOT } from "../common/root";

/** Where editors find the schema of a stack file. */
export const SCHEMA_FILE = join(ROOT, "components", "config.schema.json");
/** The README with the table of the configuration. */
export const README = join(ROOT, "components", "README.md");
const BEGIN = "<!-- begin: configuration -->";
const END = "<!-- end: configuration -->";

const stackJsonSchema = jsonSchemaOf(stackSchema);

/** The JSON Schema of a `Pulumi.<stack>.yaml`: our keys below `config`, and whatever else Pulumi allows. */
export function stackFileSchema(): unknown {
  const { properties = {}, $defs } = stackJsonSchema;
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A stack of ml-platform",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: Object.fromEntries(
          Object.entries(properties).map(([key, node]) => [`ml-platform:${key}`, node]),
        ),
        patternProperties: { "^(?!ml-platform:)": {} },
        additionalProperties: false,
      },
    },
    $defs,
  };
}

/** One row for each key that holds a value, in the schema's order; forms of a block are told apart by their mode or kind. */
export function rows(node: SchemaNode, path: string): string[] {
  const forms = [...(node.oneOf ?? []), ...(node.anyOf ?? [])].filter(
    ({ properties }) => properties,
  );
  if (forms.length > 0) {
    return [row(node, path), ...forms.flatMap((form) => formRows(form, path))];
  }
  if (node.items?.properties) {
    return [row(node, path), ...rows(node.items, `${path}[]`)];
  }
  if (node.properties) {
    const below = Object.entries(node.properties);
    return below.flatMap(([key, child]) => rows(child, path ? `${path}.${key}` : key));
  }
  return [row(node, path)];
}

function formRows(form: SchemaNode, path: string): string[] {
  const { properties = {} } = form;
  const [tag, { const: name }] = Object.entries(properties).find(
    ([, child]) => child.const !== undefined,
  ) ?? ["", {}];
  const own = Object.entries(properties).filter(([key]) => key !== tag);
  const mark = tag ? `\` (${tag} ${name}) |` : "` |";
  return own.flatMap(([key, child]) =>
    rows(child, `${path}.${key}`).map((line) => line.replace("` |", mark)),
  );
}

function row(node: SchemaNode, path: string): string {
  const value = node.default === undefined ? "" : `\`${JSON.stringify(node.default)}\``;
  return `| \`${path}\` | ${value} | ${node.description ?? ""} |`;
}

/** The tables of the configuration, in Markdown: one of all keys, and one of each block that several keys share. */
export function configurationTable(): string {
  const table = (lines: string[]) => ["| Key | Default | Description |", "|---|---|---|", ...lines];
  const shared = Object.entries(stackJsonSchema.$defs ?? {}).flatMap(([name, block]) => [
    "",
    `Every block \`${name.toLowerCase()}\`:`,
    "",
    ...table(rows(block, "")),
  ]);
  return [...table(rows(stackJsonSchema, "")), ...shared].join("\n");
}

/** The README with new tables of the configuration. */
export function withTable(readme: string): string {
  const [before, rest] = readme.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined) {
    throw new Error(`components/README.md has no ${BEGIN} ... ${END}`);
  }
  return `${before}${BEGIN}\n${configurationTable()}\n${END}${after}`;
}

/** Writes the JSON Schema and the tables. */
export function writeGenerated(): void {
  writeFileSync(SCHEMA_FILE, `${JSON.stringify(stackFileSchema(), null, 2)}\n`);
  writeFileSync(README, withTable(readFileSync(README, "utf8")));
}
