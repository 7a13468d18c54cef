import { parseImage } from "../../policy/model/image";
import { MANIFESTS, RepositoryClient } from "../../policy/registry/client";
import { credentialsOf } from "../../policy/registry/credentials";

/** Seconds within which a registry must answer. */
const TIMEOUT = 30;

/** Registries on this machine serve plain HTTP, as container engines assume too. */
const LOOPBACK = /^(localhost|127(\.\d+){3})(:\d+)?$/;

/** A repository, what asks its registry about it, and the tag where there is one. */
interface Repository {
  readonly registry: string;
  readonly tag?: string;
  readonly client: RepositoryClient;
}

/**
 * Asks the registry of an image, with Docker's credentials where it wants some.
 * @param name of the image or its repository
 * @throws Error that begins with the name
 */
async function asking<T>(name: string, work: (repository: Repository) => Promise<T>): Promise<T> {
  try {
    const image = parseImage(name);
    if (!image) {
      throw new Error("is not an image of the form registry/repository:tag");
    }
    const { registry, tag } = image;
    const client = new RepositoryClient(image, {
      plainHttp: LOOPBACK.test(registry),
      timeoutSeconds: TIMEOUT,
      credentials: await credentialsOf(registry),
    });
    return await work({ registry, client, ...(tag && { tag }) });
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/**
 * The digest that a tag stands for now.
 * @param reference `registry/repository:tag`
 * @throws Error naming the image, what the registry answered and, where it refuses the user, what to do
 */
export function digestOf(reference: string): Promise<string> {
  return asking(reference, async ({ registry, tag, client }) => {
    if (!tag) {
      throw new Error("is not an image of the form registry/repository:tag");
    }
    const { status, headers } = await client.ask("HEAD", `manifests/${tag}`, MANIFESTS);
    const digest = headers.get("docker-content-digest");
    if (status === 200 && digest) {
      return digest;
    }
    const remedy = status === 401 || status === 403 ? `; ${login(registry, "pull")}` : "";
    throw new Error(`${registry} answered ${status} without a digest${remedy}`);
  });
}

/**
 * Starts an upload to a repository, and cancels it: nothing is stored.
 * @param name `registry/repository`
 * @throws Error naming the repository, what the registry answered, and what to do
 */
export function requirePush(name: string): Promise<void> {
  return asking(name, async ({ registry, client }) => {
    const { status, headers } = await client.ask("POST", "blobs/uploads/");
    const upload = headers.get("location");
    if (status === 202 && upload) {
      // It would expire by itself.
      await client.ask("DELETE", upload).catch(() => undefined);
      return;
    }
    const remedy =
      status === 404
        ? "create the repository first, if the registry does not create it by itself"
        : login(registry, "push");
    throw new Error(`${registry} refuses a push with status ${status}; ${remedy}`);
  });
}

function login(registry: string, right: string): string {
  return `log in with \`docker login ${registry}\`, with the right to ${right}`;
}
