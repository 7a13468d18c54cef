import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { RegistryError } from "./client";

/** What Docker's configuration says about credentials; the rest of the file is nobody's business here. */
const dockerConfigSchema = z.object({
  auths: z.record(z.string(), z.object({ auth: z.string().optional() })).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});

const helperAnswerSchema = z.object({ Username: z.string(), Secret: z.string() });

/** Under which Docker stores the credentials of its own registry. */
const DOCKER_HUB = "https://index.docker.io/v1/";

/**
 * The Basic credentials of a registry, from Docker's configuration or the helper that it names.
 * @throws RegistryError for a configuration that is not valid
 * @returns base64 of `user:password`; undefined where there are none
 */
export async function credentialsOf(
  registry: string,
  folder = process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"),
): Promise<string | undefined> {
  const file = join(folder, "config.json");
  if (!existsSync(file)) {
    return undefined;
  }
  const config = dockerConfigSchema.safeParse(safeJson(readFileSync(file, "utf8"))).data;
  if (config === undefined) {
    throw new RegistryError("silent", "the Docker configuration, config.json, is not valid");
  }
  const keys = registry === "docker.io" ? [DOCKER_HUB] : [registry, `https://${registry}`];
  for (const key of keys) {
    const helper = config.credHelpers[key] ?? config.credsStore;
    const found = config.auths[key]?.auth ?? (helper && (await askHelper(helper, key)));
    if (found) {
      return found;
    }
  }
  return undefined;
}

/** Asks `docker-credential-HELPER get`, which reads the registry's name and answers with JSON. */
function askHelper(helper: string, registry: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = execFile(`docker-credential-${helper}`, ["get"], (error, stdout) => {
      const answer = error ? undefined : helperAnswerSchema.safeParse(safeJson(stdout)).data;
      resolve(answer && Buffer.from(`${answer.Username}:${answer.Secret}`).toString("base64"));
    });
    child.stdin?.end(registry);
  });
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
