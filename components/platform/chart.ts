import { existsSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../config/errors";
import { fullReference } from "../images/rewrite";
import type { ImageSource } from "../images/source";
import { chartObjects, lockCommand } from "./chart-objects";
import { chartSettings, type chartSource } from "./chart-schema";

/** Where a chart is: in a repository, in an OCI registry, or in a folder. */
export type ChartSource = z.input<typeof chartSource>;

/** @typeParam Values the values of the chart that the caller sets */
export interface ChartArgs<Values extends object = Record<string, unknown>> {
  /** The chart, with its exact version if it is in a repository or a registry. */
  readonly chart: ChartSource;
  /** Existing namespace of the chart's objects. */
  readonly namespace: string;
  /** Source of the images. */
  readonly imageSource: ImageSource;
  /**
   * The images of the chart under their upstream names (`registry/repository:tag`): those of its containers, and those in flags
   * and other fields. Default: none.
   */
  readonly images?: readonly string[];
  /**
   * Values of the chart, without outputs: a preview renders a chart only if all its values are known. For a password, name a
   * Secret. Default: those of the chart.
   */
  readonly values?: Values;
  /** Name of the Helm release, from which most charts derive the names of their objects. Default: the name of the component. */
  readonly release?: string;
  /**
   * What happens to the CRDs of the chart when their resources are deleted: `keep` leaves them in the cluster with all custom
   * objects, also those of other stacks; `delete` deletes both. Default: keep.
   */
  readonly crds?: "keep" | "delete";
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /** Protects the chart's namespaces, volumes and StatefulSets from deletion. Default: true. */
  readonly retainData?: boolean;
}

/**
 * A Helm chart. Its objects are resources of the stack: previews show them, and policies check them. Their images come from
 * `imageSource`, by digest; a container with an image that is not in `images` is an error.
 *
 * The Kubernetes provider does not run Helm hooks: objects with the annotation `helm.sh/hook` are left out.
 */
export class Chart<
  Values extends object = Record<string, unknown>,
> extends pulumi.ComponentResource {
  /** @throws pulumi.RunError if the lock of `imageSource` lacks an image */
  constructor(name: string, args: ChartArgs<Values>, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:Chart", name, {}, opts);
    const { imageSource, ...own } = args;
    const settings = parseArgs(chartSettings, own, name);
    const { chart, namespace, values, release = name } = settings;
    const references = lockedImages(name, settings.images, imageSource);
    new k8s.helm.v4.Chart(
      name,
      { ...locationOf(name, chart), name: release, namespace, values },
      { parent: this, transforms: [chartObjects(name, { ...settings, release, references })] },
    );
    this.registerOutputs({});
  }
}

/** The arguments of the Kubernetes provider for the place of a chart. */
function locationOf(
  name: string,
  chart: z.output<typeof chartSource>,
): Pick<k8s.helm.v4.ChartArgs, "chart" | "version" | "repositoryOpts"> {
  switch (chart.kind) {
    case "repository":
      return { chart: chart.name, version: chart.version, repositoryOpts: { repo: chart.url } };
    case "oci":
      return { chart: `oci://${chart.registry}/${chart.name}`, version: chart.version };
    case "folder":
      // If it is missing, Helm looks for a repository of that name.
      if (!existsSync(chart.path)) {
        throw new pulumi.RunError(
          `${name}: chart.path: ${chart.path} does not exist; correct the path, or create the folder`,
        );
      }
      return { chart: chart.path };
  }
}

/**
 * The references of images by digest, by their upstream names.
 * @throws pulumi.RunError that names those that are not in the lock
 */
function lockedImages(
  name: string,
  images: readonly string[],
  source: ImageSource,
): ReadonlyMap<string, string> {
  const missing = images.filter((image) => !source.hasDigest(image));
  if (missing.length > 0) {
    throw new pulumi.RunError(
      `${name}: the image lock has no digest for ${missing.join(", ")}; run ${lockCommand(missing, pulumi.getStack())}`,
    );
  }
  return new Map(images.map((image) => [fullReference(image), source.byDigest(image)]));
}
