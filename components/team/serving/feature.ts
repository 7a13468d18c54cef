import { z } from "zod";
import type { PlatformContract } from "../../platform/contract";
import { missingGpus, teamFeature } from "../feature";
import { type ModelConfig, modelSchema } from "./schema";
import { variantsOf } from "./variants";

const NO_REQUEST_RATE =
  "the platform has no custom metrics API; install platform.metricsAdapter, or set kind to cpu";
const NO_GATEWAY =
  "the platform has no Gateway to split requests between variants; install platform.gateway, or keep one variant";

/** The keys with autoscaling by request rate: the model's, unless every variant has its own, and those of variants. */
function scaledByRequestRate({ autoscale, variants }: ModelConfig): string[] {
  const byRate = (own: typeof autoscale | undefined) => own?.kind === "requestRate";
  const inherited = variants.length === 0 || variants.some((variant) => !variant.autoscale);
  return [
    ...(inherited && byRate(autoscale) ? ["autoscale.kind"] : []),
    ...variants.flatMap((variant, index) =>
      byRate(variant.autoscale) ? [`variants[${index}].autoscale.kind`] : [],
    ),
  ];
}

/** The required capabilities that the platform does not offer: one line for each, with the key in the model. */
export function missingForModel(model: ModelConfig, platform: PlatformContract): string[] {
  const rates = platform.requestRate ? [] : scaledByRequestRate(model);
  return [
    ...rates.map((key) => `${key}: ${NO_REQUEST_RATE}`),
    ...(model.variants.length > 1 && !platform.gateway ? [`variants: ${NO_GATEWAY}`] : []),
    ...missingGpus("resources.gpus", variantsOf(model), platform),
  ];
}

export const models = teamFeature({
  schema: z.array(modelSchema).default([]).describe("Model services"),
  demand: (all) => ({
    // A rollout starts one pod more than the maximum before it stops an old one.
    containers: all.flatMap(variantsOf).map(({ resources, autoscale }) => ({
      ...resources,
      pods: (autoscale.kind === "none" ? autoscale.replicas : autoscale.max) + 1,
    })),
  }),
  missing: (all, platform) =>
    all.flatMap((model, index) =>
      missingForModel(model, platform).map((line) => `[${index}].${line}`),
    ),
});
