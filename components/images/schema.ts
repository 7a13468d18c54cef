import { z } from "zod";
import { filePath, imageReference, registry, text } from "../config/types";

/** An image under its upstream name, whose digest is in the lock file. */
export const upstreamImage = imageReference.refine(
  (reference) => !reference.includes("@"),
  "must have a tag and no digest, which is in the lock file, such as quay.io/acme/app:v1.2.3",
);

/** Where a stack's images come from, and where those that it builds go. */
export const imagesSchema = z.strictObject({
  mirror: registry
    .optional()
    .describe(
      "Registry that holds copies of all third-party images under their full upstream names; default: upstream",
    ),
  lock: filePath
    .default("images.lock.json")
    .describe(
      "File of the third-party images' digests at the mirror or upstream, written by `npm run images:lock`",
    ),
  registry: registry
    .optional()
    .describe("Registry and path that built images are pushed to; needed to build"),
  builder: text.optional().describe("Buildx builder; default: buildx's current one"),
  context: filePath
    .default("app")
    .describe("Folder of the Dockerfile with the targets serving, training and mlflow"),
  caFile: filePath
    .optional()
    .describe(
      "CA bundle that package installs inside a build must trust, mounted as a build secret",
    ),
});

export type ImagesConfig = z.output<typeof imagesSchema>;
export type ImageBuild = z.input<typeof imagesSchema>;
