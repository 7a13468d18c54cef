import type { Config } from "../config/schema";
import type { Image } from "../model/contents";
import { parseImage } from "../model/image";
import { matches } from "../model/pattern";
import { RegistryError } from "../registry/client";
import type { MeasureImage } from "../registry/size";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  url: "https://docs.docker.com/build/building/best-practices/",
} as const;

const MEGABYTE = 1e6;

/** Kinds whose pods run to completion; all other workloads are serving. */
const ENDS = /(Job|JobSet|TrainingRuntime)$/;

/** Maximum size of an image in bytes. */
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

/** The rule for images that can't be measured for one kind of error. */
function measurementRule(
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

/** Rules for the size of images, which are read from their registries. */
export function imageSizeRules(measure: MeasureImage): readonly Rule[] {
  return [
    {
      ...base,
      name: "image-size",
      level: "mandatory",
      description:
        "An image is small: it is pulled faster, costs less, and has a smaller attack surface.",
      remedy:
        "Build on a slim base in several stages, or set images.budgets of the policy configuration.",
      async image(image, config) {
        const result = await measured(measure, image, config);
        const budget = budgetOf(image, config);
        return "bytes" in result && result.bytes > budget
          ? `${image.field} has a compressed size of ${megabytes(result.bytes)}, above its budget of ${megabytes(budget)}`
          : undefined;
      },
    },
    measurementRule(measure, "invalid", {
      name: "image-manifest",
      level: "mandatory",
      description: "An image reference names an image.",
      remedy: "Use an image in the OCI or Docker v2 format.",
    }),
    measurementRule(measure, "unavailable", {
      name: "image-size-unknown",
      level: "advisory",
      alwaysOn: true,
      description: "The size of an image can be measured.",
      remedy:
        "Make sure that the registry can be reached with the credentials in the Docker configuration.",
    }),
  ];
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}
