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

/** A token for anonymous pulls, from where the registry's challenge says. */
async function token(challenge: string): Promise<string> {
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
  const realm = new URL(field("realm") ?? "");
  for (const name of ["service", "scope"]) {
    const value = field(name);
    if (value) realm.searchParams.set(name, value);
  }
  const answer = (await (await fetch(realm)).json()) as { token?: string; access_token?: string };
  return answer.token ?? answer.access_token ?? "";
}

/**
 * The digest that a tag stands for now, asked with the OCI distribution API, anonymously.
 * @param reference `registry/repository:tag`
 * @throws Error naming the image and what the registry answered
 */
export async function digestOf(reference: string): Promise<string> {
  const { registry, repository, tag } = parseReference(reference);
  const url = `${baseUrl(registry)}/v2/${repository}/manifests/${tag}`;
  const ask = (headers: Record<string, string>) =>
    fetch(url, {
      method: "HEAD",
      headers: { accept: MANIFESTS, ...headers },
      signal: AbortSignal.timeout(30_000),
    });
  let answer: Response;
  try {
    answer = await ask({});
    const challenge = answer.headers.get("www-authenticate");
    if (answer.status === 401 && challenge)
      answer = await ask({ authorization: `Bearer ${await token(challenge)}` });
  } catch (error) {
    const { cause } = error as Error & { cause?: Error };
    throw new Error(
      `${reference}: ${registry} cannot be reached (${cause?.message ?? (error as Error).message})`,
    );
  }
  const digest = answer.headers.get("docker-content-digest");
  if (!answer.ok || !digest)
    throw new Error(`${reference}: ${registry} answered ${answer.status} without a digest`);
  return digest;
}
