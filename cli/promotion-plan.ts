import { readFileSync } from "node:fs";
import { modelSchema } from "../components/team/serving/schema";
import type { Promotion } from "./judgement";
import { candidateOf, ladder, type Weights } from "./promotion";
import { type OpenStack, stackConfig, stackFile } from "./stack";
import { reasonOf } from "./terminal";
import { type Observer, observer, type Pause } from "./watch";
import { withWeights } from "./weights";

/** What is promoted, and where. */
export interface PromotionRequest {
  open: OpenStack;
  /** Folder of the stack's file, whose weights are changed. @default the program's */
  workDir?: string;
  model: string;
  /** The variant to promote. @default of two, the one beside `main` */
  to?: string | undefined;
  /** Prometheus, as it is reached from here. @default the stack's output `prometheusUrl` */
  prometheusUrl?: string | undefined;
  /** Aborted, the watch or the update ends and the old weights come back. */
  signal?: AbortSignal;
  /** How time passes. @default by the clock */
  pause?: Pause;
}

/** A request, checked. */
export interface Plan {
  team: string;
  model: string;
  promotion: Promotion;
  candidate: string;
  before: Weights;
  /** The weights that the candidate is watched with, the present ones first where it has a share. */
  rungs: Weights[];
}

/**
 * What a request comes to.
 * @throws Error where it makes no sense for the stack's file
 */
export function planOf({ open, workDir, model: name, to }: PromotionRequest): Plan {
  const file = stackFile(open.stack.name, workDir);
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
  const { promotion, variants } = parsed.data;
  if (!promotion) {
    throw new Error(`team.models[${index}].promotion is missing; it says what a variant must hold`);
  }
  const before = Object.fromEntries(variants.map((variant) => [variant.name, variant.weight]));
  const candidate = candidateOf(before, to);
  const rungs = ladder(before, candidate, promotion);
  const text = readFileSync(file, "utf8");
  for (const weights of rungs) withWeights(text, name, weights);
  return { team: team.name, model: name, promotion, candidate, before, rungs };
}

/**
 * What judges the candidate by the stack's Prometheus.
 * @throws Error where its address is not known, or it does not answer there
 */
export async function observerOf(
  { open, prometheusUrl }: PromotionRequest,
  { team, model, candidate, promotion }: Plan,
): Promise<Observer> {
  const url = prometheusUrl ?? (await open.stack.outputs()).prometheusUrl?.value;
  if (!url) throw new Error("--prometheus is needed: the stack puts out no address of Prometheus");
  return observer(url, { team, model, variant: candidate }, promotion);
}

/**
 * Makes sure that a promotion's first step is all that it changes.
 * @throws Error where an update would change anything at all now: the first step would bring it along
 */
export async function refusePending({ open, signal }: PromotionRequest): Promise<void> {
  try {
    await open.stack.preview({ ...open.options, signal, expectNoChanges: true });
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(
      `the stack must have no other changes pending, as the first step would bring them along; look at \`npm run preview -- --stack ${open.stack.name}\`, and update it first: ${reasonOf(error)}`,
    );
  }
}
