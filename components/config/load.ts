import * as pulumi from "@pulumi/pulumi";
import { check, errorReport } from "./errors";
import { SECRET_KEYS, type StackConfig, stackSchema } from "./schema";

/** A stack's configuration, and its secrets as outputs, which Pulumi encrypts everywhere. */
export interface Config extends Omit<StackConfig, (typeof SECRET_KEYS)[number]> {
  readonly secrets: Partial<Record<(typeof SECRET_KEYS)[number], pulumi.Output<string>>>;
}

// The SDK has this function but leaves it out of its typings.
const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };

/**
 * Reads and checks the whole configuration of the current stack. Nothing else reads Pulumi configuration.
 * @throws pulumi.RunError with every invalid key, the reason and the remedy
 */
export function loadConfig(): Config {
  const prefix = `${pulumi.getProject()}:`;
  const config = new pulumi.Config();
  const values: Record<string, unknown> = {};
  const errors: string[] = [];
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig())) {
    if (!key.startsWith(prefix)) {
      continue;
    }
    const name = key.slice(prefix.length);
    const secret = (SECRET_KEYS as readonly string[]).includes(name);
    if (secret !== isConfigSecret(key)) {
      errors.push(secretError(name, secret));
    }
    values[name] = secret ? text : parseValue(text);
  }
  const { data, errors: invalid } = check(stackSchema, values);
  errors.push(...invalid);
  if (errors.length > 0 || !data) {
    throw new pulumi.RunError(errorReport(errors));
  }
  const secrets = Object.fromEntries(
    SECRET_KEYS.filter((key) => key in values).map((key) => [key, config.requireSecret(key)]),
  );
  // No other code gets them in plain text.
  for (const key of SECRET_KEYS) {
    delete data[key];
  }
  return { ...data, secrets };
}

/** Pulumi gives objects, lists and booleans as JSON. Everything else is text, even if it looks like a number. */
export function parseValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "number" ? text : value;
  } catch {
    return text;
  }
}

function secretError(name: string, secret: boolean): string {
  return secret
    ? `${name}: is in plain text; run \`pulumi config set --secret ${name}\`, and replace the secret itself, as the file has disclosed it`
    : `${name}: is encrypted, but is not a secret, and could not be reviewed; set it in plain text, and secrets under ${SECRET_KEYS.join(", ")}`;
}
