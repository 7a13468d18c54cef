import { readFileSync } from "node:fs";
import { request as requestHttp } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import pRetry from "p-retry";

/** A probe of a component: resolves if it is ready, throws the reason if not. */
export type Probe = () => Promise<void>;

/** Certificates for a probe, as paths of PEM files. */
export interface ProbeIdentity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Timeout of one probe, in milliseconds. A probe that times out does not yet mean that the component has failed. */
const PROBE_TIMEOUT = 10_000;
/** Interval of probes, in milliseconds. */
const PROBE_PAUSE = 150;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends a GET request over HTTP or (with an identity) verified HTTPS.
 * @param accept media type of the response
 */
function sendGet(url: string, identity?: ProbeIdentity, accept = "*/*"): Promise<Answer> {
  const tls = () =>
    identity && {
      ca: readFileSync(identity.ca),
      cert: readFileSync(identity.cert),
      key: readFileSync(identity.key),
    };
  return new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? requestHttps : requestHttp;
    const headers = { accept };
    const options = { ...tls(), headers, agent: false as const, timeout: PROBE_TIMEOUT };
    const refuse = (error: Error) => reject(new Error(`${url}: ${error.message}`));
    const request = send(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", refuse);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.on("timeout", () =>
      request.destroy(new Error(`no response in ${PROBE_TIMEOUT / 1000} s`)),
    );
    request.on("error", refuse);
    request.end();
  });
}

/**
 * A probe of a URL: it succeeds with any status below 500, except for 401 and 403.
 * @param accept media type of the response
 */
export function httpProbe(url: string, identity?: ProbeIdentity, accept?: string): Probe {
  return async () => {
    const { status } = await sendGet(url, identity, accept);
    if (status >= 500 || status === 401 || status === 403) {
      throw new Error(`${url} returned status ${status}`);
    }
  };
}

/** The JSON of a URL. Throws with the status if it is not 200. */
export async function getJson<T>(url: string, identity: ProbeIdentity): Promise<T> {
  const { status, body } = await sendGet(url, identity);
  if (status !== 200) {
    throw new Error(`${url} returned status ${status}`);
  }
  return JSON.parse(body) as T;
}

/** A probe of a gRPC server on a Unix socket: it succeeds when the server starts HTTP/2. */
export function grpcProbe(socket: string): Probe {
  return () =>
    new Promise((resolve, reject) => {
      const session = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
      const end = (error?: Error) => {
        session.destroy();
        error ? reject(new Error(`${socket}: ${error.message}`)) : resolve();
      };
      session.on("remoteSettings", () => end());
      session.on("error", end);
      session.on("close", () => end(new Error("the connection was closed")));
      session.setTimeout(PROBE_TIMEOUT, () =>
        end(new Error(`no response in ${PROBE_TIMEOUT / 1000} s`)),
      );
    });
}

/** Repeats a probe until it succeeds. Throws the last error of the probe after the deadline (milliseconds). */
export async function until(probe: Probe, deadline: number): Promise<void> {
  const attempt = async () => {
    try {
      await probe();
    } catch (error) {
      // A plain Error: p-retry treats a TypeError as a bug and would not retry.
      throw new Error(error instanceof Error ? error.message : String(error));
    }
  };
  const pause = { minTimeout: PROBE_PAUSE, factor: 1, maxTimeout: PROBE_PAUSE };
  await pRetry(attempt, { retries: Number.POSITIVE_INFINITY, maxRetryTime: deadline, ...pause });
}
