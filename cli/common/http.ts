import { request as http, type IncomingHttpHeaders } from "node:http";
import { request as https } from "node:https";

/** An answer's status, headers and body. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a request has beside its body. */
export interface RequestOptions {
  /** Of the whole answer, in milliseconds. @default 10 seconds */
  timeout?: number;
  headers?: Record<string, string>;
}

/**
 * Where a URL's host is connected to. Names below `localhost` mean this machine (RFC 6761), which browsers and curl know
 * but the resolver of many systems does not.
 */
export function connectTo(url: URL): { host: string; port: number } {
  const local = url.hostname === "localhost" || url.hostname.endsWith(".localhost");
  return {
    host: local ? "127.0.0.1" : url.hostname,
    port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
  };
}

/**
 * Sends one request, and names the URL where that fails.
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
