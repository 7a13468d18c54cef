import { readFileSync } from "node:fs";
import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import { parseArgs } from "../../config/errors";
import { pinned } from "../../images/pinned";
import { type ImageBuild, type ImagesConfig, imagesSchema } from "../../images/schema";
import type { ImageSource } from "../../images/source";
import { IMAGE_TARGETS, imagesToBuild, type Purpose } from "./schema";

export interface TeamImagesArgs extends Partial<Record<Purpose, pulumi.Input<string>>> {
  /** The team's name, first part of the names of images that are built. */
  readonly team: string;
  /** How images are built. Required unless all images are given. */
  readonly imageBuild?: ImageBuild;
  /** Source of the base image. Required unless all images are given. */
  readonly imageSource?: ImageSource;
}

/** The images of a team's workloads, each by digest: given, or built from the Dockerfile of the project. */
export class TeamImages extends pulumi.ComponentResource {
  readonly serving: pulumi.Output<string>;
  readonly training: pulumi.Output<string>;
  readonly tracking: pulumi.Output<string>;

  /** @throws pulumi.RunError if an image is neither given nor can be built */
  constructor(name: string, args: TeamImagesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:TeamImages", name, {}, opts);
    const { team, imageSource, imageBuild = {} } = args;
    const build = parseArgs(imagesSchema, imageBuild, name);
    const missing = imagesToBuild(args);
    if (missing.length > 0 && !(imageSource && build.registry)) {
      throw new pulumi.RunError(
        `${name}: ${missing.join(", ")}: no image; set it, or set imageSource and imageBuild.registry`,
      );
    }
    const image = (purpose: Purpose) => {
      const given = args[purpose];
      const tag = `${build.registry}/${team}-${purpose}:${pulumi.getStack()}`;
      return given || !imageSource
        ? pinned(given ?? "", { parent: this })
        : builtImage(
            `${name}-${purpose}`,
            { tag, target: IMAGE_TARGETS[purpose], base: imageSource.reference("python"), build },
            { parent: this },
          );
    };
    this.serving = image("serving");
    this.training = image("training");
    this.tracking = image("tracking");
    this.registerOutputs({});
  }
}

interface BuiltImageArgs {
  readonly tag: string;
  /** Target of the Dockerfile. */
  readonly target: string;
  /** The Python image that it builds on. */
  readonly base: string;
  readonly build: ImagesConfig;
}

function builtImage(
  name: string,
  { tag, target, base, build }: BuiltImageArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const image = new dockerBuild.Image(
    name,
    {
      context: { location: build.context },
      dockerfile: { location: `${build.context}/Dockerfile` },
      target,
      buildArgs: { PYTHON_BASE: base },
      tags: [tag],
      push: true,
      // A preview shows that an image changes. A build would take minutes and push nothing.
      buildOnPreview: false,
      ...(build.builder && { builder: { name: build.builder } }),
      ...(build.caFile && { secrets: { ca: readFileSync(build.caFile, "utf8") } }),
    },
    opts,
  );
  // A preview builds nothing, so the provider returns an empty digest, and a reference without a digest: neither is known.
  return image.digest.apply((digest) => (digest ? `${tag}@${digest}` : (pulumi.unknown as never)));
}
