import type { Config } from "../config/schema";
import { parseImage } from "../model/image";
import type { Image } from "../model/parts";
import { matches } from "../model/pattern";
import { RegistryError } from "../registry/client";
import type { MeasureImage } from "../registry/size";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  url: "https://docs.docker.com/build/building/best-practices/",
} as const;

const MEGABYTE = 1e6;

/** Kinds whose pods run to completion; whatever else runs, serves. */
const ENDS = /(Job|JobSet|TrainingRuntime)$/;

/** The most bytes that an image may have. */
export function budgetOf({ reference, object }: Image, { images }: Config): number {
  const { registry, repository } = parseImage(reference) ?? { registry: "", repository: "" };
  const [own] = Object.entries(images.budgets.images)
    .filter(([pattern]) => matches(`${registry}/${repository}`, pattern))
    .map(([, bytes]) => bytes);
  return own ?? images.budgets[ENDS.test(object.kind) ? "training" : "serving"];
}

type Measured = { readonly bytes: number } | { readonly failure: RegistryError };

async function measured(
  measure: MeasureImage,
  { reference }: Image,
  { images }: Config,
): Promise<Measured> {
  const image = parseImage(reference);
  try {
    return { bytes: image === undefined ? 0 : await measure(image, images) };
  } catch (error) {
    if (error instanceof RegistryError) {
      return { failure: error };
    }
    throw error;
  }
}

/** The rule about images that can't be measured for one kind of reasons. */
function unmeasured(
  measure: MeasureImage,
  kind: RegistryError["kind"],
  rest: Omit<Rule, "pack" | "url" | "image">,
): Rule {
  return {
    ...base,
    ...rest,
    async image(image, config) {
      const result = await measured(measure, image, config);
      return "failure" in result && result.failure.kind === kind
        ? `${image.field} could not be measured: ${result.failure.message}`
        : undefined;
    },
  };
}

/** Rules about the size of images, which their registries are asked for. */
export function imageSizeRules(measure: MeasureImage): readonly Rule[] {
  return [
    {
      ...base,
      name: "image-size",
      level: "mandatory",
      about: "An image is small: it starts sooner, costs less, and holds less to attack.",
      remedy:
        "Build on a slim base in several stages, or set images.budgets of the policy configuration.",
      async image(image, config) {
        const result = await measured(measure, image, config);
        const budget = budgetOf(image, config);
        return "bytes" in result && result.bytes > budget
          ? `${image.field} has ${megabytes(result.bytes)} compressed, above its budget of ${megabytes(budget)}`
          : undefined;
      },
    },
    unmeasured(measure, "wrong", {
      name: "image-manifest",
      level: "mandatory",
      about: "What stands under an image's name is an image.",
      remedy: "Name an image of the OCI or Docker v2 format, and a registry that serves it.",
    }),
    unmeasured(measure, "silent", {
      name: "image-size-unknown",
      level: "advisory",
      alwaysOn: true,
      about: "The size of an image is known, or it is said that it is not.",
      remedy:
        "See that the registry can be reached, with the credentials of the Docker configuration.",
    }),
  ];
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}
