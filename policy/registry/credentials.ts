import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { RegistryError } from "./client";

/** The credentials in Docker's configuration; other keys are ignored. */
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

/** The key of Docker Hub in Docker's configuration. */
const DOCKER_HUB = "https://index.docker.io/v1/";

/** Timeout of a helper in milliseconds, for one that waits for a user or a service. */
const HELPER_TIMEOUT = 10_000;

/**
 * The Basic credentials of a registry, from Docker's configuration or its credential helper.
 * @throws RegistryError for a configuration that is not valid
 * @returns base64 of `user:password`; undefined if there are none
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
    throw new RegistryError("unavailable", "the Docker configuration, config.json, is not valid");
  }
  const server = registry === "docker.io" ? DOCKER_HUB : registry;
  const own = Object.entries(config.auths)
    .filter(([key]) => hostOf(key) === hostOf(server))
    .map(([, { auth, username, password }]) => auth || basic(username, password))
    .find(Boolean);
  const helper = config.credHelpers[server] ?? config.credsStore;
  return own ?? (helper ? runHelper(helper, server, timeout) : undefined);
}

/** The host of a key of the configuration: `ghcr.io` and `https://ghcr.io/v2/` are the same. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function basic(username: string | undefined, password: string | undefined): string | undefined {
  return username && password && Buffer.from(`${username}:${password}`).toString("base64");
}

/** Runs `docker-credential-HELPER get`, which reads the registry's name and prints JSON. */
function runHelper(helper: string, registry: string, timeout: number): Promise<string | undefined> {
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
    // A helper that exits without reading closes the pipe: only its output matters.
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
