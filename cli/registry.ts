import { credentialsOf } from "../policy/registry/credentials";

/** Manifests that a tag may stand for: of one platform, or an index of several, of OCI or of Docker. */
const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** The parts of `registry/repository:tag`. */
export function parseReference(reference: string): {
  registry: string;
  repository: string;
  tag: string;
} {
  const match = /^([^/]+)\/([^@]+):([\w][\w.-]*)$/.exec(reference);
  const [, registry, repository, tag] = match ?? [];
  if (!registry || !repository || !tag)
    throw new Error(`${reference}: is no image of the form registry/repository:tag`);
  return { registry, repository, tag };
}

/** Loopback registries speak plain HTTP, as container engines assume of them too; Docker's has another host for its API. */
function baseUrl(registry: string): string {
  if (/^(localhost|127\.)/.test(registry)) return `http://${registry}`;
  return `https://${registry === "docker.io" ? "registry-1.docker.io" : registry}`;
}

/** What a registry's challenge asks for: the credentials themselves, or a token from where it says. */
async function authorization(challenge: string, credentials?: string): Promise<string> {
  const basic = credentials ? `Basic ${credentials}` : "";
  if (!/^bearer /i.test(challenge)) return basic;
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
  const realm = new URL(field("realm") ?? "");
  for (const name of ["service", "scope"]) {
    const value = field(name);
    if (value) realm.searchParams.set(name, value);
  }
  const headers = basic ? { authorization: basic } : undefined;
  const answer = (await (await fetch(realm, { headers })).json()) as {
    token?: string;
    access_token?: string;
  };
  return `Bearer ${answer.token ?? answer.access_token ?? ""}`;
}

/**
 * Asks a registry with the OCI distribution API: anonymously and, where that is refused, with Docker's credentials for it.
 * @param subject what an error names first
 * @throws Error where the registry cannot be reached
 */
async function ask(
  subject: string,
  registry: string,
  path: string,
  method: string,
  accept = "*/*",
): Promise<Response> {
  const send = (headers: Record<string, string>) =>
    fetch(new URL(path, baseUrl(registry)), {
      method,
      headers: { accept, ...headers },
      signal: AbortSignal.timeout(30_000),
    });
  try {
    const answer = await send({});
    const challenge = answer.headers.get("www-authenticate");
    if (answer.status !== 401 || !challenge) return answer;
    return await send({
      authorization: await authorization(challenge, await credentialsOf(registry)),
    });
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    throw new Error(`${subject}: ${registry} cannot be reached (${cause?.message ?? message})`);
  }
}

/**
 * The digest that a tag stands for now.
 * @param reference `registry/repository:tag`
 * @throws Error naming the image and what the registry answered
 */
export async function digestOf(reference: string): Promise<string> {
  const { registry, repository, tag } = parseReference(reference);
  const path = `/v2/${repository}/manifests/${tag}`;
  const answer = await ask(reference, registry, path, "HEAD", MANIFESTS);
  const digest = answer.headers.get("docker-content-digest");
  if (!answer.ok || !digest)
    throw new Error(`${reference}: ${registry} answered ${answer.status} without a digest`);
  return digest;
}

/**
 * Begins an upload to a repository, and takes it back: nothing is stored.
 * @param name `registry/repository`
 * @throws Error naming the repository, what the registry answered, and what to do
 */
export async function requirePush(name: string): Promise<void> {
  const [registry = "", ...rest] = name.split("/");
  const answer = await ask(name, registry, `/v2/${rest.join("/")}/blobs/uploads/`, "POST");
  const upload = answer.headers.get("location");
  if (answer.status === 202 && upload) {
    // It would expire by itself.
    await ask(name, registry, upload, "DELETE").catch(() => undefined);
    return;
  }
  const remedy =
    answer.status === 404
      ? "make the repository first, if the registry does not make it by itself"
      : `log in with \`docker login ${registry}\`, with the right to push`;
  throw new Error(`${name}: ${registry} refuses a push with status ${answer.status}; ${remedy}`);
}
