import autocannon from "autocannon";
import { connectTo, trust } from "../common/http";
import { step } from "../common/terminal";
import type { Interruption } from "../interruption";
import { openStack } from ".";
import { SAMPLE, type StackOutputs } from "./summary";

/** Requests for predictions, limited in rate and time. */
export interface Load {
  /** Requests per second. */
  readonly rate: number;
  /** Duration, in seconds. */
  readonly seconds: number;
  /** Connections, which are kept alive. @default 20 */
  readonly connections?: number;
  /** Where it is aborted, the load stops; the answers until then are counted. */
  readonly signal?: AbortSignal;
}

/** Sends requests to a model at a steady rate, and stops by itself. */
export function sendLoad(
  modelUrl: string,
  { rate, seconds, connections = 20, signal }: Load,
): Promise<autocannon.Result> {
  const url = new URL(`${modelUrl}/predict`);
  const { host, port } = connectTo(url);
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const load = autocannon(
    {
      url: `${url.protocol}//${host}:${port}${url.pathname}`,
      method: "POST",
      headers: { host: url.host, "content-type": "application/json" },
      body: JSON.stringify(SAMPLE),
      duration: seconds,
      overallRate: rate,
      connections,
      servername: url.hostname,
    },
    (error, result) => (error ? reject(error) : resolve(result)),
  );
  signal?.addEventListener("abort", () => load.stop());
  return promise;
}

/** The options of `ml-platform load`. */
export interface LoadOptions {
  readonly stack: string;
  readonly rate: number;
  readonly seconds: number;
}

/** Sends requests to the first model of a stack. */
export async function load(
  { stack: name, rate, seconds }: LoadOptions,
  interruption: Interruption,
): Promise<void> {
  const { stack } = await openStack({ name }, step);
  const outputs = await stack.outputs();
  const models = outputs.models?.value as StackOutputs["models"];
  trust(outputs.certificateAuthority?.value);
  const [url] = Object.values(models ?? {});
  if (!url) {
    throw new Error(`stack ${name} serves no model; run npm start first`);
  }
  step(`${url}/predict: ${rate} requests/s for ${seconds} s`);
  await interruption.guard(async (signal) => {
    const {
      "2xx": answered,
      non2xx,
      errors,
      latency,
    } = await sendLoad(url, {
      rate,
      seconds,
      signal,
    });
    step(
      `${answered} answered, ${non2xx} refused, ${errors} failed; latency ${latency.p50} ms median, ${latency.p99} ms p99`,
    );
  });
}
