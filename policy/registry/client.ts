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

/** What a token service answers; both names are in use. */
const tokenSchema = z
  .object({ token: z.string().optional(), access_token: z.string().optional() })
  .catch({});

/** The most that registries must accept for a manifest (OCI distribution specification). */
const LARGEST_MANIFEST = 4 * 1024 * 1024;

/** A registry that did not tell. Its message holds nothing secret. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";

  constructor(
    /** It gave no answer or none to us, or it answered with something that is no image. */
    readonly kind: "silent" | "wrong",
    message: string,
  ) {
    super(message);
  }
}

/** A registry that gives no answer at all. */
export class UnreachableError extends RegistryError {
  constructor(reason: string) {
    super("silent", `the registry cannot be reached (${reason})`);
  }
}

/** Statuses that are an answer: there is no such manifest, or none any more. */
const ABSENT: ReadonlySet<number> = new Set([404, 410]);

export interface RegistryOptions {
  readonly plainHttp: boolean;
  readonly timeoutSeconds: number;
  /** Base64 of `user:password`. */
  readonly credentials: string | undefined;
}

/**
 * Asks a registry about one repository, by the OCI distribution API: anonymously, with Basic credentials,
 * or with the token of the service that the registry names.
 */
export class RepositoryClient {
  private authorization: string | undefined;

  constructor(
    private readonly image: ImageReference,
    private readonly options: RegistryOptions,
  ) {}

  /**
   * The manifest under a tag or digest. What a digest names is checked against it.
   * @throws RegistryError
   */
  async manifest(reference: string): Promise<unknown> {
    const { status, text } = await this.ask("GET", `manifests/${reference}`, MANIFESTS);
    if (status !== 200) {
      const kind = ABSENT.has(status) ? "wrong" : "silent";
      throw new RegistryError(kind, `the registry answered ${status}`);
    }
    return parseManifest(text, reference);
  }

  /**
   * What the registry answers to a request, once it was told who asks.
   * @param path below the repository, or the path of an upload that the registry has named
   * @throws RegistryError where there is no answer
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
    throw new RegistryError("wrong", "the registry names a URL of another server");
  }

  private headers(accept: string): Record<string, string> {
    return {
      accept,
      ...(this.authorization !== undefined && { authorization: this.authorization }),
    };
  }

  /** Does what a `WWW-Authenticate` header asks for. */
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
      throw new RegistryError("wrong", "the registry names no token service that is safe to ask");
    }
    realm.searchParams.set("service", fields.service ?? "");
    realm.searchParams.set("scope", fields.scope ?? `repository:${this.image.repository}:pull`);
    const headers: Record<string, string> = basic ? { authorization: basic } : {};
    const { text } = await request(realm, headers, this.options.timeoutSeconds);
    const { token, access_token } = tokenSchema.parse(parseJson(text));
    this.authorization = `Bearer ${token ?? access_token}`;
  }
}

/** What a registry answers. */
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
      throw new RegistryError("wrong", "the registry answered with more than a manifest");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseManifest(text: string, reference: string): unknown {
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  if (reference.startsWith("sha256:") && reference !== digest) {
    throw new RegistryError(
      "wrong",
      "the registry answered with another manifest than the digest names",
    );
  }
  return parseJson(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RegistryError("wrong", "the registry answered with no JSON");
  }
}

/** What a network error means, by its code and never by its text; other errors are of one answer alone. */
function failureOf(error: unknown): RegistryError {
  const { cause, name } = error as Error & { cause?: { code?: string } };
  const code = name === "TimeoutError" ? "timeout" : cause?.code;
  return code === undefined
    ? new RegistryError("silent", `the registry's answer cannot be read (${name})`)
    : new UnreachableError(code);
}
