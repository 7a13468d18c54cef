import { existsSync, readFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { parse } from "yaml";
import { PROJECT } from "../model/project";
import { join, type Resource } from "../model/resource";
import type { Rule } from "./rule";
import { credentialIn } from "./secrets";

const ROOT = "pulumi:pulumi:Stack";

/** Credentials in a configuration, by their places; what Pulumi encrypted stands below `secure`. */
function credentialsIn(node: unknown, key: string, path: string): string[] {
  if (typeof node !== "object" || node === null) {
    const problem = credentialIn(key, node);
    return problem === undefined ? [] : [`${path} ${problem}`];
  }
  return Object.entries(node)
    .filter(([name]) => name !== "secure")
    .flatMap(([name, value]) =>
      credentialsIn(value, name, Array.isArray(node) ? `${path}[${name}]` : join(path, name)),
    );
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
      const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as { config?: unknown };
      return credentialsIn(config, "", `${name}: config`);
    },
  };
}
