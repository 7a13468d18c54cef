import { existsSync, readFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { credentialInText } from "../model/credential";
import { PROJECT } from "../model/project";
import { join, type Resource } from "../model/resource";
import { recordAt } from "../model/stack";
import type { Rule } from "./rule";

const ROOT = "pulumi:pulumi:Stack";

/** The format of values that Pulumi's secrets providers have encrypted. */
const ENCRYPTED = /^(v\d+:|AAAB[\w+/]{20,}={0,2}$)/;

/** Whether a value is encrypted by Pulumi, and not plain text under the key `secure`. */
function isEncrypted(node: object): boolean {
  const [[key, value] = [], ...others] = Object.entries(node);
  return key === "secure" && others.length === 0 && ENCRYPTED.test(`${value}`);
}

/** Paths of credentials in a configuration. */
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

/** Parsed YAML, or the line of an error: the parser's message would quote the text. */
function parsedYaml(text: string): { parsed?: unknown; mistake?: string } {
  try {
    return { parsed: parse(text) };
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    return { mistake: line === undefined ? "" : ` (line ${line})` };
  }
}

/** The rule for the file of a stack, which is evaluated with the root resource of the stack. */
export function stackFileRule(folder: string = PROJECT): Rule {
  return {
    name: "credential-in-stack-file",
    pack: "platform",
    level: "mandatory",
    description: "No credential is in plain text in a committed file.",
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
        ? credentialsIn(recordAt({ parsed }, "parsed").config, "", `${name}: config`)
        : `${name} is not YAML${mistake}`;
    },
  };
}
