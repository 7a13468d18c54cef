import { z } from "zod";
import { imageReference } from "../../config/types";

/** The images of a team's workloads: targets of the Dockerfile by purpose. */
export const IMAGE_TARGETS = {
  serving: "serving",
  training: "training",
  tracking: "mlflow",
} as const;
export type Purpose = keyof typeof IMAGE_TARGETS;

export const teamImagesSchema = z
  .strictObject({
    serving: imageReference
      .optional()
      .describe("Serving image; default: built from the target serving"),
    training: imageReference
      .optional()
      .describe("Training image; default: built from the target training"),
    tracking: imageReference
      .optional()
      .describe("Image of the tracking server; default: built from the target mlflow"),
  })
  .prefault({})
  .describe("Existing images");

/** The purposes for which no image is given. */
export function imagesToBuild(given: Partial<Record<Purpose, unknown>>): Purpose[] {
  return (Object.keys(IMAGE_TARGETS) as Purpose[]).filter((purpose) => !given[purpose]);
}
