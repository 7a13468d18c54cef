import { request } from "node:https";
import type { TLSSocket } from "node:tls";
import { connectTo } from "../../cli/common/http";

/** The answer to a request on a connection of its own. */
export interface SecureAnswer {
  readonly status: number;
  /** Serial number of the server's certificate, which was verified. */
  readonly serial: string;
}

/** Sends a GET request on a new connection, as renewed certificates are only seen there. */
export function freshRequest(address: string): Promise<SecureAnswer> {
  const url = new URL(address);
  const { promise, resolve, reject } = Promise.withResolvers<SecureAnswer>();
  const call = request(
    {
      ...connectTo(url),
      path: url.pathname,
      headers: { host: url.host },
      agent: false,
      signal: AbortSignal.timeout(10_000),
    },
    (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode ?? 0, serial: serialNumber }));
    },
  );
  call.on("error", reject);
  call.end();
  return promise;
}
