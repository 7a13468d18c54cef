import { readFileSync } from "node:fs";
import { trust } from "../common/http";
import { reasonOf } from "../common/terminal";
import type { OpenStack } from "../stack";
import { stackConfig, stackFile } from "../stack/file";
import type { Promotion } from "./judgement";
import { candidateOf, type Weights, weightSteps } from "./shares";
import { type Observer, observer, type Pause } from "./watch";
import { withWeights } from "./weights";

/** What to promote, and where. */
export interface PromotionRequest {
  readonly open: OpenStack;
  /** Folder of the stack's file, whose weights are changed. @default the program's */
  readonly workDir?: string;
  readonly model: string;
  /** The variant to promote. @default of two, the one beside `main` */
  readonly to?: string | undefined;
  /** URL of Prometheus, as this machine reaches it. @default the stack's output `prometheusUrl` */
  readonly prometheusUrl?: string | undefined;
  /** Where it is aborted, the watch or the update ends and the promotion rolls back. */
  readonly signal?: AbortSignal;
  /** How time passes. @default in real time */
  readonly pause?: Pause;
}

/** A request that was checked. */
export interface Plan {
  readonly team: string;
  readonly model: string;
  readonly promotion: Promotion;
  readonly candidate: string;
  readonly before: Weights;
  /** The weights of each step; the present ones come first where the candidate has a share already. */
  readonly steps: Weights[];
}

/**
 * Checks a request against the stack's file.
 * @throws Error where the file has mistakes, or does not allow the promotion
 */
export function planOf({ open, workDir, model: name, to }: PromotionRequest): Plan {
  const file = stackFile(open.stack.name, workDir);
  const { team } = stackConfig(open.stack.name, workDir);
  const models = team?.models ?? [];
  const index = models.findIndex((model) => model.name === name);
  const found = models[index];
  if (!team || !found) {
    const known = models.map((model) => model.name).join(", ") || "none";
    throw new Error(`--model ${name}: the stack has no such model; it has ${known}`);
  }
  const { promotion, variants } = found;
  if (!promotion) {
    throw new Error(
      `team.models[${index}].promotion is missing; it says which checks a variant must pass`,
    );
  }
  const before = Object.fromEntries(variants.map((variant) => [variant.name, variant.weight]));
  const candidate = candidateOf(before, to);
  const steps = weightSteps(before, candidate, promotion);
  const text = readFileSync(file, "utf8");
  for (const weights of steps) {
    withWeights(text, name, weights);
  }
  return { team: team.name, model: name, promotion, candidate, before, steps };
}

/**
 * What judges the candidate by the stack's Prometheus.
 * @throws Error where its address is not known, or Prometheus does not answer there
 */
export async function observerOf(
  { open, prometheusUrl }: PromotionRequest,
  { team, model, candidate, promotion }: Plan,
): Promise<Observer> {
  const outputs = await open.stack.outputs();
  trust(outputs.certificateAuthority?.value);
  const url = prometheusUrl ?? outputs.prometheusUrl?.value;
  if (!url) {
    throw new Error("--prometheus is required: the stack has no output prometheusUrl");
  }
  return observer(url, { team, model, variant: candidate }, promotion);
}

/**
 * Makes sure that a promotion's first step changes the weights alone.
 * @throws Error where an update would change anything now: the first step would apply that as well
 */
export async function requireNoOtherChanges({ open, signal }: PromotionRequest): Promise<void> {
  try {
    await open.stack.preview({ ...open.options, signal, expectNoChanges: true });
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(
      `the stack must have no other pending changes, as the first step would apply them too; look at \`npm run preview -- --stack ${open.stack.name}\`, and update it first: ${reasonOf(error)}`,
    );
  }
}
