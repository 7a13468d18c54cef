import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Dispatcher } from "undici";

/** How long a site may take, in milliseconds, and how often a broken transfer is taken up again. */
export interface Limits {
  /** Until a connection stands, and until an answer begins. */
  readonly connect: number;
  readonly answer: number;
  /** Without a single byte in the middle of a transfer. */
  readonly silence: number;
  /** For all of one file, with its retries. */
  readonly whole: number;
  readonly retries: number;
  /** Before the first retry; doubled for each further one. */
  readonly pause: number;
}

const usual: Limits = {
  ...{ connect: 5_000, answer: 10_000, silence: 20_000, whole: 600_000 },
  ...{ retries: 3, pause: 500 },
};

/** A site gave no usable answer at all, so that nothing else needs to be asked of it. */
export class SiteError extends Error {
  override readonly name = "SiteError";
}

/** Downloads from release sites, through the proxies that `http_proxy`, `https_proxy` and `no_proxy` name. */
export interface Downloader {
  /** A small text. */
  text(url: string): Promise<string>;
  /** Writes what is at an address to a file; what breaks off is taken up where it ended. */
  file(url: string, path: string): Promise<void>;
}

/** Errors of a connection that stood: what had arrived counts, and the rest is asked for. */
const resumable = [
  ...["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_BODY_TIMEOUT"],
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
];

/** Asks for an address. What it needs is loaded only now, as most runs download nothing. */
async function asker(limits: Limits): Promise<(url: string) => Promise<Dispatcher.ResponseData>> {
  const { connect, answer, silence, whole, retries, pause } = limits;
  const { EnvHttpProxyAgent, interceptors, request } = await import("undici");
  const agent = new EnvHttpProxyAgent({
    connect: { timeout: connect },
    headersTimeout: answer,
    bodyTimeout: silence,
  });
  // A site's own wish for a longer pause is not granted: its tools can be built meanwhile.
  const pauses = { minTimeout: pause, maxTimeout: 10 * pause };
  const retry = { maxRetries: retries, ...pauses, errorCodes: resumable };
  const redirect = interceptors.redirect({ maxRedirections: 5 });
  const dispatcher = agent.compose(redirect, interceptors.retry(retry));
  return (url) => request(url, { dispatcher, signal: AbortSignal.timeout(whole) });
}

/** Why a request failed, in words; what undici says of a proxy or of a name is in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause, code } = error as Error & { code?: string };
  const inner = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return inner || code || String(error);
}

/** Downloads with limits. A site that gave no answer is not asked again by the same downloader. */
export function downloader(limits: Limits = usual): Downloader {
  let asking: ReturnType<typeof asker> | undefined;
  const silent = new Map<string, string>();

  const open = async (url: string): Promise<Dispatcher.ResponseData> => {
    const { origin } = new URL(url);
    const known = silent.get(origin);
    if (known) throw new SiteError(known);
    asking ??= asker(limits);
    const ask = await asking;
    const response = await ask(url).catch((error: unknown) => {
      const reason = `${origin} does not answer (${reasonOf(error)})`;
      silent.set(origin, reason);
      throw new SiteError(reason);
    });
    if (response.statusCode === 200) return response;
    await response.body.dump();
    throw new Error(`${url}: HTTP status ${response.statusCode}`);
  };

  return {
    text: async (url) => (await open(url)).body.text(),
    file: async (url, path) => {
      const { body } = await open(url);
      await pipeline(body, createWriteStream(path)).catch((error: unknown) => {
        throw new Error(`${url}: the download broke off (${reasonOf(error)})`);
      });
    },
  };
}

/** The sha256 of a file, in hexadecimal digits. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
