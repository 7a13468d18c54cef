import { readFileSync } from "node:fs";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import pRetry, { AbortError } from "p-retry";

/** One look at a part: resolves if it is well, throws with what is wrong. */
export type Probe = () => Promise<void>;

/** Certificates for a probe, as paths of PEM files. */
export interface ProbeIdentity {
  ca: string;
  cert: string;
  key: string;
}

/** Longest time for one look, in milliseconds: a part that hangs counts as unwell. */
const PROBE_TIMEOUT = 3_000;
/** Pause between two looks, in milliseconds. */
const PROBE_PAUSE = 150;

/** A probe that asks for an address over HTTP or (with an identity) verified HTTPS; well below status 500. */
export function httpProbe(url: string, identity?: ProbeIdentity): Probe {
  const tls = () =>
    identity && {
      ca: readFileSync(identity.ca),
      cert: readFileSync(identity.cert),
      key: readFileSync(identity.key),
    };
  return () =>
    new Promise((resolve, reject) => {
      const send = url.startsWith("https:") ? requestHttps : requestHttp;
      const options = { ...tls(), agent: false as const, timeout: PROBE_TIMEOUT };
      const request = send(url, options, (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        status < 500 && status !== 401 && status !== 403
          ? resolve()
          : reject(new Error(`${url} answers with status ${status}`));
      });
      request.on("timeout", () => request.destroy(new Error(`${url} gives no answer`)));
      request.on("error", reject);
      request.end();
    });
}

/**
 * Repeats a probe until it is well. Gives up at the deadline (milliseconds) with the probe's last complaint, or at
 * once when `stillPossible` says that waiting is in vain.
 */
export async function until(
  probe: Probe,
  deadline: number,
  stillPossible: () => boolean = () => true,
): Promise<void> {
  const look = async () => {
    try {
      await probe();
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      // A plain Error: p-retry takes a TypeError for a programming fault and would not look again.
      throw stillPossible() ? new Error(reason.message) : new AbortError(reason);
    }
  };
  const pause = { minTimeout: PROBE_PAUSE, factor: 1, maxTimeout: PROBE_PAUSE };
  await pRetry(look, { retries: Number.POSITIVE_INFINITY, maxRetryTime: deadline, ...pause });
}
