import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Dispatcher } from "undici";

/** Timeouts in milliseconds, and retries of an interrupted transfer. */
export interface Limits {
  /** Until the connection is established, and until the response starts. */
  readonly connect: number;
  readonly answer: number;
  /** Without any data during a transfer. */
  readonly silence: number;
  /** For one file, including retries. */
  readonly whole: number;
  readonly retries: number;
  /** Before the first retry; doubled for each further retry. */
  readonly pause: number;
}

const usual: Limits = {
  ...{ connect: 5_000, answer: 10_000, silence: 20_000, whole: 600_000 },
  ...{ retries: 3, pause: 500 },
};

/** A site does not respond, so that no other request needs to be sent to it. */
export class SiteError extends Error {
  override readonly name = "SiteError";
}

/** Downloads from release sites, through the proxies that `http_proxy`, `https_proxy` and `no_proxy` name. */
export interface Downloader {
  /** Returns a small text. */
  text(url: string): Promise<string>;
  /** Downloads a URL to a file; an interrupted transfer is resumed. */
  file(url: string, path: string): Promise<void>;
}

/** Errors of an established connection: the transfer can be resumed. */
const resumable = [
  ...["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_BODY_TIMEOUT"],
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
];

/** Returns a function that sends requests. Its libraries are loaded lazily, as most runs download nothing. */
async function requester(
  limits: Limits,
): Promise<(url: string) => Promise<Dispatcher.ResponseData>> {
  const { connect, answer, silence, whole, retries, pause } = limits;
  const { EnvHttpProxyAgent, interceptors, request } = await import("undici");
  const agent = new EnvHttpProxyAgent({
    connect: { timeout: connect },
    headersTimeout: answer,
    bodyTimeout: silence,
  });
  // A longer Retry-After of a site is ignored: its tools can be built instead.
  const pauses = { minTimeout: pause, maxTimeout: 10 * pause };
  const retry = { maxRetries: retries, ...pauses, errorCodes: resumable };
  const redirect = interceptors.redirect({ maxRedirections: 5 });
  const dispatcher = agent.compose(redirect, interceptors.retry(retry));
  return (url) => request(url, { dispatcher, signal: AbortSignal.timeout(whole) });
}

/** The reason of a failed request; undici has errors of proxies and names in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause, code } = error as Error & { code?: string };
  const inner = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return inner || code || String(error);
}

/** Returns a downloader with limits. It sends no further requests to a site that did not respond. */
export function downloader(limits: Limits = usual): Downloader {
  let asking: ReturnType<typeof requester> | undefined;
  const silent = new Map<string, string>();

  const open = async (url: string): Promise<Dispatcher.ResponseData> => {
    const { origin } = new URL(url);
    const known = silent.get(origin);
    if (known) {
      throw new SiteError(known);
    }
    asking ??= requester(limits);
    const ask = await asking;
    const response = await ask(url).catch((error: unknown) => {
      const reason = `${origin} does not answer (${reasonOf(error)})`;
      silent.set(origin, reason);
      throw new SiteError(reason);
    });
    if (response.statusCode === 200) {
      return response;
    }
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
