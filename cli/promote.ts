import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { modelSchema } from "../components/team/model-schema";
import type { ModelConfig } from "../components/team/schema";
import type { Report } from "../lab/toolchain/cache";
import { ensureCluster } from "./cluster";
import { send } from "./http";
import {
  candidateOf,
  judge,
  type Measured,
  type Promotion,
  queries,
  stepsAhead,
  type Weights,
  weightsAt,
  withWeights,
} from "./promotion";
import { type OpenStack, openStack, stackConfig, stackFile } from "./stack";
import { fail, step } from "./terminal";

/** What is promoted, and where. */
export interface PromotionRequest {
  open: OpenStack;
  /** Folder of the stack's file, whose weights are changed. @default the program's */
  workDir?: string;
  model: string;
  /** The variant to promote. @default of two, the one with the smaller weight */
  to?: string | undefined;
  /** Prometheus, as it is reached from here. @default the stack's output `prometheusUrl` */
  prometheusUrl?: string | undefined;
  /** Aborted, the watch ends and the old weights come back. */
  signal?: AbortSignal;
}

/**
 * Gives a variant more of a model's requests step by step, as long as it holds what the model's `promotion` asks for, and
 * takes them all back as soon as it does not, the update fails or the signal comes.
 * @returns whether the variant has been promoted
 * @throws Error before anything is changed where the request makes no sense, and where going back fails
 */
export async function promote(request: PromotionRequest, report: Report): Promise<boolean> {
  const { open, signal } = request;
  const { team, model, index, promotion } = findModel(request);
  const before = weightsOf(model);
  const candidate = candidateOf(before, request.to);
  const steps = stepsAhead(before, candidate, promotion);
  if (steps.length === 0) throw new Error(`${candidate} has all requests of ${model.name} already`);
  const url = request.prometheusUrl ?? (await open.stack.outputs()).prometheusUrl?.value;
  if (!url) throw new Error("--prometheus is needed: the stack puts out no address of Prometheus");
  const asked = queries(team, model.name, candidate, promotion);
  // Asked once before anything is changed: nobody could judge a step without it.
  await measure(url, asked);

  const file = stackFile(open.stack.name, request.workDir);
  const original = readFileSync(file, "utf8");
  const apply = async (text: string) => {
    writeFileSync(file, text);
    await open.stack.preview(open.options);
    await open.stack.up(open.options);
  };
  try {
    for (const percent of steps) {
      const weights = weightsAt(percent, candidate, before);
      report(`${model.name}: ${shown(weights)}; watched for ${promotion.window} s`);
      await apply(withWeights(original, index, weights));
      await sleep(promotion.window * 1000, undefined, { signal });
      const { holds, reason } = judge(await measure(url, asked), promotion);
      report(
        `${model.name}: ${candidate} at ${percent} %: ${holds ? "holds" : "does not hold"}: ${reason}`,
      );
      if (!holds) throw new Error(reason);
    }
    return true;
  } catch (error) {
    report(`${model.name}: going back to ${shown(before)}: ${firstLine(error)}`);
    await apply(original).catch((failure: unknown) => {
      throw new Error(
        `${file} has the old weights, but the update to them failed; update the stack: ${firstLine(failure)}`,
      );
    });
    report(`${model.name}: ${shown(before)} again`);
    return false;
  }
}

/** The model in the stack's file, as the program reads it. */
function findModel({ open, workDir, model: name }: PromotionRequest): {
  team: string;
  index: number;
  model: ModelConfig;
  promotion: Promotion;
} {
  const { team } = stackConfig(open.stack.name, workDir);
  const models = team?.models ?? [];
  const index = models.findIndex((model) => model.name === name);
  if (!team || index < 0) {
    const known = models.map((model) => model.name).join(", ") || "none";
    throw new Error(`--model ${name}: the stack has no such model; it has ${known}`);
  }
  const parsed = modelSchema.safeParse(models[index]);
  if (!parsed.success) {
    throw new Error(`team.models[${index}] is not valid; run npm run preview, which says why`);
  }
  const { promotion } = parsed.data;
  if (!promotion) {
    throw new Error(`team.models[${index}].promotion is missing; it says what a variant must hold`);
  }
  return { team: team.name, index, model: parsed.data, promotion };
}

function weightsOf({ variants }: ModelConfig): Weights {
  return Object.fromEntries(variants.map(({ name, weight }) => [name, weight]));
}

/** @throws Error where Prometheus does not answer as it should */
async function measure(url: string, asked: Record<keyof Measured, string>): Promise<Measured> {
  const value = async (query: string) => {
    const address = `${url.replace(/\/$/, "")}/api/v1/query?query=${encodeURIComponent(query)}`;
    const { status, body } = await send(address);
    if (status !== 200) throw new Error(`Prometheus at ${url} answered ${status}`);
    const { data } = JSON.parse(body) as { data: { result: { value: [number, string] }[] } };
    return Number(data.result[0]?.value[1] ?? Number.NaN);
  };
  return {
    answers: await value(asked.answers),
    errorRate: await value(asked.errorRate),
    latency: await value(asked.latency),
  };
}

function shown(weights: Weights): string {
  return Object.entries(weights)
    .map(([name, weight]) => `${name} ${weight}`)
    .join(", ");
}

function firstLine(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return line;
}

interface Options {
  stack: string;
  model: string;
  to?: string;
  prometheus?: string;
}

async function run({ stack: name, model, to, prometheus }: Options): Promise<void> {
  await ensureCluster(name);
  const open = await openStack({ name }, step);
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => interrupted.abort(new Error(`${signal} was received`)));
  }
  const { signal } = interrupted;
  const promoted = await promote({ open, model, to, prometheusUrl: prometheus, signal }, step);
  process.exitCode = promoted ? 0 : 1;
}

if (require.main === module) {
  new Command("npm run promote --")
    .description(
      "Gives a variant of a model more of its requests, step by step, while Prometheus shows that it holds what the\nmodel's `promotion` asks for; else goes back to the weights before, with exit code 1.",
    )
    .requiredOption("--model <name>", "the model")
    .option("--stack <name>", "the stack that serves it", "dev")
    .option("--to <variant>", "the variant; default: of two, the one with the smaller weight")
    .option(
      "--prometheus <url>",
      "Prometheus, as it is reached from here; default: the address that the stack puts out",
    )
    .action(run)
    .parseAsync()
    .catch(fail);
}
