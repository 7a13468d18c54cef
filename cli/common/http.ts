import { request as http, type IncomingHttpHeaders } from "node:http";
import { request as https } from "node:https";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

/** A response's status, headers and body. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Options of a request. */
export interface RequestOptions {
  /** For the whole response, in milliseconds. @default 10 seconds */
  readonly timeout?: number;
  readonly headers?: Record<string, string>;
}

/**
 * The host and port to connect to for a URL. Names below `localhost` are this machine (RFC 6761); browsers and curl know
 * this, but the resolver of many systems does not.
 */
export function connectTo(url: URL): { host: string; port: number } {
  const local = url.hostname === "localhost" || url.hostname.endsWith(".localhost");
  return {
    host: local ? "127.0.0.1" : url.hostname,
    port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
  };
}

/** Trusts a CA besides those of Node.js, in every later connection of this process. @param certificate PEM */
export function trust(certificate: string | undefined): void {
  if (certificate) {
    setDefaultCACertificates([...getCACertificates("default"), certificate]);
  }
}

/**
 * Sends one request. An error names the URL.
 * @param json body of a POST; without it, a GET
 */
export function send(
  address: string,
  json?: unknown,
  { timeout = 10_000, headers }: RequestOptions = {},
): Promise<Answer> {
  const url = new URL(address);
  const body = json === undefined ? undefined : JSON.stringify(json);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const call = (url.protocol === "https:" ? https : http)(
    {
      ...connectTo(url),
      method: body ? "POST" : "GET",
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        ...(body && { "content-type": "application/json" }),
        ...headers,
      },
      signal: AbortSignal.timeout(timeout),
    },
    (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on("error", reject);
    },
  );
  call.on("error", (error) => reject(new Error(`${address}: ${error.message}`)));
  call.end(body);
  return promise;
}
