import * as pulumi from "@pulumi/pulumi";
import { explain, problemReport } from "./problems";
import { SECRET_KEYS, type StackConfig, stackSchema } from "./schema";

/** A stack's configuration, and its secrets as outputs that Pulumi encrypts wherever they go. */
export interface Config extends Omit<StackConfig, (typeof SECRET_KEYS)[number]> {
  secrets: Partial<Record<(typeof SECRET_KEYS)[number], pulumi.Output<string>>>;
}

// The SDK has this function but leaves it out of its typings.
const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };

/**
 * Reads and checks the whole configuration of the current stack. Nothing else reads Pulumi configuration.
 * @throws pulumi.RunError naming every bad key, the reason and the remedy, before any resource is declared
 */
export function loadConfig(): Config {
  const prefix = `${pulumi.getProject()}:`;
  const config = new pulumi.Config();
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig())) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    const secret = (SECRET_KEYS as readonly string[]).includes(name);
    if (secret !== isConfigSecret(key)) problems.push(secretProblem(name, secret));
    values[name] = secret ? text : parse(text);
  }
  const parsed = stackSchema.safeParse(values);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => explain(issue)));
  if (problems.length > 0 || !parsed.data) throw new pulumi.RunError(problemReport(problems));
  const secrets = Object.fromEntries(
    SECRET_KEYS.filter((key) => key in values).map((key) => [key, config.requireSecret(key)]),
  );
  // In the clear they go no further than this function.
  for (const key of SECRET_KEYS) delete parsed.data[key];
  return { ...parsed.data, secrets };
}

/** Objects, lists and booleans arrive as JSON. All else is a text, even where its characters are digits. */
function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "number" ? text : value;
  } catch {
    return text;
  }
}

function secretProblem(name: string, secret: boolean): string {
  return secret
    ? `${name}: is stored in plain text; run \`pulumi config set --secret ${name}\` and change the secret itself, as the file has shown it`
    : `${name}: is encrypted, but holds no secret and could not be reviewed; write it in plain text, and secrets under ${SECRET_KEYS.join(", ")}`;
}
