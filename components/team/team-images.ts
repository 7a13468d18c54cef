import { readFileSync } from "node:fs";
import * as docker from "@pulumi/docker";
import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import type { ImageSource } from "../images";
import type { ImagesConfig } from "../schema";
import { IMAGE_TARGETS, type Purpose } from "./images";
import type { TeamConfig } from "./schema";

export interface TeamImagesArgs {
  /** The team's name, part of the names of images that are built. */
  team: string;
  /** Images that were built elsewhere, by purpose; the others are built. */
  prebuilt: TeamConfig["images"];
  build: ImagesConfig;
  /** Where the base image comes from. */
  source: ImageSource;
}

/** The images that a team's workloads run, each by digest: built from the Dockerfile here, or given. */
export class TeamImages extends pulumi.ComponentResource {
  readonly serving: pulumi.Output<string>;
  readonly training: pulumi.Output<string>;
  readonly tracking: pulumi.Output<string>;

  constructor(name: string, args: TeamImagesArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:TeamImages", name, {}, opts);
    const image = (purpose: Purpose) => {
      const given = args.prebuilt[purpose];
      return given
        ? pinned(given, { parent: this })
        : build(`${name}-${purpose}`, purpose, args, { parent: this });
    };
    this.serving = image("serving");
    this.training = image("training");
    this.tracking = image("tracking");
    this.registerOutputs({});
  }
}

/** An image by digest, as the registry resolves its tag now; a reference with a digest is taken as it is. */
export function pinned(reference: string, opts: pulumi.InvokeOptions): pulumi.Output<string> {
  if (reference.includes("@")) return pulumi.output(reference);
  const { sha256Digest } = docker.getRegistryImageOutput({ name: reference }, opts);
  return pulumi.interpolate`${reference}@${sha256Digest}`;
}

function build(
  name: string,
  purpose: Purpose,
  { team, build, source }: TeamImagesArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const image = new dockerBuild.Image(
    name,
    {
      context: { location: build.context },
      dockerfile: { location: `${build.context}/Dockerfile` },
      target: IMAGE_TARGETS[purpose],
      buildArgs: { PYTHON_BASE: source.reference("python") },
      tags: [`${build.registry}/${team}-${purpose}:${pulumi.getStack()}`],
      push: true,
      // A preview shows that an image changes; building it there would take minutes and push nothing.
      buildOnPreview: false,
      ...(build.builder && { builder: { name: build.builder } }),
      ...(build.caFile && { secrets: { ca: readFileSync(build.caFile, "utf8") } }),
    },
    opts,
  );
  return image.ref;
}
