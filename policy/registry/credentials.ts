import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { RegistryError } from "./client";

/** What Docker's configuration says about credentials; the rest of the file is nobody's business here. */
const dockerConfigSchema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
      }),
    )
    .default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});

const helperAnswerSchema = z.object({ Username: z.string(), Secret: z.string() });

/** Under which Docker stores the credentials of its own registry. */
const DOCKER_HUB = "https://index.docker.io/v1/";

/** A helper that asks somebody on a screen, or a service that does not answer, holds up the preview no longer. */
const HELPER_TIMEOUT = 10_000;

/**
 * The Basic credentials of a registry, from Docker's configuration or the helper that it names.
 * @throws RegistryError for a configuration that is not valid
 * @returns base64 of `user:password`; undefined where there are none
 */
export async function credentialsOf(
  registry: string,
  folder = process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"),
  timeout = HELPER_TIMEOUT,
): Promise<string | undefined> {
  const file = join(folder, "config.json");
  if (!existsSync(file)) {
    return undefined;
  }
  const config = dockerConfigSchema.safeParse(safeJson(readFileSync(file, "utf8"))).data;
  if (config === undefined) {
    throw new RegistryError("silent", "the Docker configuration, config.json, is not valid");
  }
  const server = registry === "docker.io" ? DOCKER_HUB : registry;
  const own = Object.entries(config.auths)
    .filter(([key]) => hostOf(key) === hostOf(server))
    .map(([, { auth, username, password }]) => auth || basic(username, password))
    .find(Boolean);
  const helper = config.credHelpers[server] ?? config.credsStore;
  return own ?? (helper ? askHelper(helper, server, timeout) : undefined);
}

/** The host that a key of the configuration is for: `ghcr.io` and `https://ghcr.io/v2/` are the same. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function basic(username: string | undefined, password: string | undefined): string | undefined {
  return username && password && Buffer.from(`${username}:${password}`).toString("base64");
}

/** Asks `docker-credential-HELPER get`, which reads the registry's name and answers with JSON. */
function askHelper(helper: string, registry: string, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = execFile(
      `docker-credential-${helper}`,
      ["get"],
      { timeout, killSignal: "SIGKILL" },
      (error, stdout) => {
        const answer = error ? undefined : helperAnswerSchema.safeParse(safeJson(stdout)).data;
        resolve(basic(answer?.Username, answer?.Secret));
      },
    );
    // One that ends without reading closes the pipe: its answer says all there is to say.
    child.stdin?.on("error", () => undefined);
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
