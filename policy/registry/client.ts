import { createHash } from "node:crypto";
import { z } from "zod";
import type { ImageReference } from "../model/image";

/** Media types of the manifests that a tag may name: of one platform, or an index of several, of OCI or of Docker. */
export const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** The response of a token service; both names are in use. */
const tokenSchema = z
  .object({ token: z.string().optional(), access_token: z.string().optional() })
  .catch({});

/** Largest manifest that registries must accept (OCI distribution specification). */
const LARGEST_MANIFEST = 4 * 1024 * 1024;

/** A request to a registry has failed. The message contains no secrets. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";

  constructor(
    /** `unavailable`: no response, or no permission; `invalid`: the response is not an image. */
    readonly kind: "unavailable" | "invalid",
    message: string,
  ) {
    super(message);
  }
}

/** A registry does not respond. */
export class UnreachableError extends RegistryError {
  constructor(reason: string) {
    super("unavailable", `the registry cannot be reached (${reason})`);
  }
}

/** Statuses for a manifest that does not exist, or no longer exists. */
const ABSENT: ReadonlySet<number> = new Set([404, 410]);

export interface RegistryOptions {
  readonly plainHttp: boolean;
  readonly timeoutSeconds: number;
  /** Base64 of `user:password`. */
  readonly credentials: string | undefined;
}

/**
 * Sends requests about one repository, with the OCI distribution API: anonymously, with Basic credentials, or
 * with a token of the registry's token service.
 */
export class RepositoryClient {
  private authorization: string | undefined;

  constructor(
    private readonly image: ImageReference,
    private readonly options: RegistryOptions,
  ) {}

  /**
   * The manifest of a tag or digest. The content of a digest is verified.
   * @throws RegistryError
   */
  async manifest(reference: string): Promise<unknown> {
    const { status, text } = await this.ask("GET", `manifests/${reference}`, MANIFESTS);
    if (status !== 200) {
      const kind = ABSENT.has(status) ? "invalid" : "unavailable";
      throw new RegistryError(kind, `the registry returned status ${status}`);
    }
    return parseManifest(text, reference);
  }

  /**
   * The registry's response to a request, with authentication where it is required.
   * @param path below the repository, or the path of an upload that the registry has named
   * @throws RegistryError where there is no response
   */
  async ask(method: string, path: string, accept = "*/*"): Promise<Answer> {
    const url = this.urlOf(path);
    const send = () => request(url, this.headers(accept), this.options.timeoutSeconds, method);
    const answer = await send();
    if (answer.status !== 401) {
      return answer;
    }
    await this.authorize(answer.headers.get("www-authenticate") ?? "");
    return send();
  }

  /** @throws RegistryError for a URL of another server, which must not get the credentials */
  private urlOf(path: string): URL {
    const { registry, repository } = this.image;
    const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
    const server = `${this.options.plainHttp ? "http" : "https"}://${host}`;
    try {
      const url = new URL(path, `${server}/v2/${repository}/`);
      if (url.origin === new URL(server).origin) {
        return url;
      }
    } catch (error) {
      throw failureOf(error);
    }
    throw new RegistryError("invalid", "the registry names a URL of another server");
  }

  private headers(accept: string): Record<string, string> {
    return {
      accept,
      ...(this.authorization !== undefined && { authorization: this.authorization }),
    };
  }

  /** Authenticates as the `WWW-Authenticate` header requires. */
  private async authorize(challenge: string): Promise<void> {
    const basic = this.options.credentials && `Basic ${this.options.credentials}`;
    const [, scheme = "", rest = ""] = /^(\w+)\s+(.*)$/s.exec(challenge) ?? [];
    if (scheme.toLowerCase() !== "bearer") {
      this.authorization = basic || undefined;
      return;
    }
    const fields = Object.fromEntries(
      [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
    );
    const realm = URL.canParse(fields.realm ?? "") ? new URL(fields.realm ?? "") : undefined;
    if (realm === undefined || (realm.protocol !== "https:" && !this.options.plainHttp)) {
      throw new RegistryError("invalid", "the registry has no token service with a safe address");
    }
    realm.searchParams.set("service", fields.service ?? "");
    realm.searchParams.set("scope", fields.scope ?? `repository:${this.image.repository}:pull`);
    const headers: Record<string, string> = basic ? { authorization: basic } : {};
    const { text } = await request(realm, headers, this.options.timeoutSeconds);
    const { token, access_token } = tokenSchema.parse(parseJson(text));
    this.authorization = `Bearer ${token ?? access_token}`;
  }
}

/** The response of a registry. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function request(
  url: URL,
  headers: Record<string, string>,
  timeoutSeconds: number,
  method = "GET",
): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const response = await fetch(url, { method, headers, signal });
    return { status: response.status, headers: response.headers, text: await read(response) };
  } catch (error) {
    if (error instanceof RegistryError) {
      throw error;
    }
    throw failureOf(error);
  }
}

async function read(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > LARGEST_MANIFEST) {
      throw new RegistryError("invalid", "the response of the registry is larger than a manifest");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseManifest(text: string, reference: string): unknown {
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  if (reference.startsWith("sha256:") && reference !== digest) {
    throw new RegistryError("invalid", "the digest of the registry's manifest is another one");
  }
  return parseJson(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RegistryError("invalid", "the response of the registry is not JSON");
  }
}

/** The error for a network error, by its code and never by its message; other errors affect one response only. */
function failureOf(error: unknown): RegistryError {
  const { cause, name } = error as Error & { cause?: { code?: string } };
  const code = name === "TimeoutError" ? "timeout" : cause?.code;
  return code === undefined
    ? new RegistryError("unavailable", `the response of the registry cannot be read (${name})`)
    : new UnreachableError(code);
}
