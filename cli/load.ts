import autocannon from "autocannon";
import { Command } from "commander";
import { connectTo } from "./http";
import { type Interruption, run } from "./interruption";
import { whole } from "./options";
import { openStack } from "./stack";
import { SAMPLE, type StackOutputs } from "./summary";
import { fail, step } from "./terminal";

/** A load of predictions, bounded in rate and time. */
export interface Load {
  /** Requests per second. */
  rate: number;
  /** How long, in seconds. */
  seconds: number;
  /** Connections, kept alive. @default 20 */
  connections?: number;
  /** Aborted, it stops; what was answered by then is counted. */
  signal?: AbortSignal;
}

/** Sends predictions to a model at a steady rate, and stops by itself. */
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
    },
    (error, result) => (error ? reject(error) : resolve(result)),
  );
  signal?.addEventListener("abort", () => load.stop());
  return promise;
}

interface LoadOptions {
  stack: string;
  rate: number;
  seconds: number;
}

async function load(
  { stack: name, rate, seconds }: LoadOptions,
  interruption: Interruption,
): Promise<void> {
  const { stack } = await openStack({ name }, step);
  const models = (await stack.outputs()).models?.value as StackOutputs["models"];
  const [url] = Object.values(models ?? {});
  if (!url) throw new Error(`stack ${name} serves no model; run npm start first`);
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

if (require.main === module) {
  new Command("npm run load --")
    .description(
      "Sends predictions to a stack's first model, so that it is scaled; stops by itself.",
    )
    .option("--stack <name>", "the stack whose model is called", "dev")
    .option("--rate <n>", "requests per second", whole(2000), 300)
    .option("--seconds <n>", "how long", whole(600), 60)
    .action((options: LoadOptions) =>
      run("no more is sent", (interruption) => load(options, interruption)),
    )
    .parseAsync()
    .catch(fail);
}
