import type { Config } from "../config/schema";
import { parseImage } from "../model/image";
import { matchesPrefix } from "../model/pattern";
import type { Container } from "../model/pods";
import { RegistryError } from "../registry/client";
import type { MeasureImage } from "../registry/size";
import { isBuiltIn } from "./images";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  url: "https://docs.docker.com/build/building/best-practices/",
} as const;

const MEGABYTE = 1e6;

/** The most bytes that a container's image may have. */
export function budgetOf({ spec, pod }: Container, { images }: Config): number {
  const { registry, repository } = parseImage(spec.image) ?? { registry: "", repository: "" };
  const [own] = Object.entries(images.budgets.images)
    .filter(([pattern]) => matchesPrefix(`${registry}/${repository}`, pattern))
    .map(([, bytes]) => bytes);
  const { apiVersion, kind } = pod.object;
  const ends = kind === "Job" || kind === "CronJob" || !isBuiltIn(apiVersion);
  return own ?? (ends ? images.budgets.training : images.budgets.serving);
}

type Measured = { readonly bytes: number } | { readonly failure: RegistryError };

/** Rules about the size of images, which their registries are asked for. */
export function imageSizeRules(measure: MeasureImage): readonly Rule[] {
  const measured = async ({ spec }: Container, { images }: Config): Promise<Measured> => {
    const image = parseImage(spec.image);
    try {
      return { bytes: image === undefined ? 0 : await measure(image, images) };
    } catch (error) {
      if (error instanceof RegistryError) {
        return { failure: error };
      }
      throw error;
    }
  };
  const failing = (kind: RegistryError["kind"]) => async (container: Container, config: Config) => {
    const result = await measured(container, config);
    return "failure" in result && result.failure.kind === kind
      ? `image could not be measured: ${result.failure.message}`
      : undefined;
  };
  return [
    {
      ...base,
      name: "image-size",
      level: "mandatory",
      about: "An image is small: it starts sooner, costs less, and holds less to attack.",
      remedy:
        "Build on a slim base in several stages, or set images.budgets of the policy configuration.",
      async container(container, config) {
        const result = await measured(container, config);
        const budget = budgetOf(container, config);
        return "bytes" in result && result.bytes > budget
          ? `image has ${megabytes(result.bytes)} compressed, above its budget of ${megabytes(budget)}`
          : undefined;
      },
    },
    {
      ...base,
      name: "image-manifest",
      level: "mandatory",
      about: "What stands under an image's name is an image.",
      remedy: "Name an image of the OCI or Docker v2 format, and a registry that serves it.",
      container: failing("wrong"),
    },
    {
      ...base,
      name: "image-size-unknown",
      level: "advisory",
      about: "The size of an image is known, or it is said that it is not.",
      remedy:
        "See that the registry can be reached, with the credentials of the Docker configuration.",
      container: failing("silent"),
    },
  ];
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}
