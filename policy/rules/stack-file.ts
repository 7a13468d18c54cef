import { existsSync, readFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { credentialInText } from "../model/credential";
import { PROJECT } from "../model/project";
import { join, type Resource } from "../model/resource";
import { part } from "../model/stack";
import type { Rule } from "./rule";

const ROOT = "pulumi:pulumi:Stack";

/** What Pulumi's own secrets providers and its cloud make of a value. */
const ENCRYPTED = /^(v\d+:|AAAB[\w+/]{20,}={0,2}$)/;

/** Whether a value is one that Pulumi encrypted, and not one that somebody called so. */
function isEncrypted(node: object): boolean {
  const [[key, value] = [], ...others] = Object.entries(node);
  return key === "secure" && others.length === 0 && ENCRYPTED.test(`${value}`);
}

/** Credentials in a configuration, by their places. */
function credentialsIn(node: unknown, key: string, path: string): string[] {
  if (typeof node !== "object" || node === null) {
    const problem = credentialInText(key, node);
    return problem === undefined ? [] : [`${path} ${problem}`];
  }
  return isEncrypted(node)
    ? []
    : Object.entries(node).flatMap(([name, value]) =>
        credentialsIn(
          value,
          name === "secure" ? key : name,
          Array.isArray(node) ? `${path}[${name}]` : join(path, name),
        ),
      );
}

/** A text as YAML, or where it is none: the parser's own message quotes the text. */
function parsedYaml(text: string): { parsed?: unknown; mistake?: string } {
  try {
    return { parsed: parse(text) };
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    return { mistake: line === undefined ? "" : ` (line ${line})` };
  }
}

/** The rule about a stack's own file, which is judged with the stack's root resource. */
export function stackFileRule(folder: string = PROJECT): Rule {
  return {
    name: "credential-in-stack-file",
    pack: "platform",
    level: "mandatory",
    about: "No credential stands in the clear in a file that is committed.",
    remedy: "Set it with pulumi config set --secret.",
    url: "https://www.pulumi.com/docs/iac/concepts/secrets/",
    resource: ({ type, urn }: Resource) => {
      const name = `Pulumi.${urn.split(":")[2]}.yaml`;
      const file = joinPath(folder, name);
      if (type !== ROOT || !existsSync(file)) {
        return undefined;
      }
      const { parsed, mistake } = parsedYaml(readFileSync(file, "utf8"));
      return mistake === undefined
        ? credentialsIn(part({ parsed }, "parsed").config, "", `${name}: config`)
        : `${name} is no YAML${mistake}`;
    },
  };
}
