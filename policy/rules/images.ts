import { parseImage } from "../model/image";
import { matchesPrefix } from "../model/pattern";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/containers/images/",
} as const;

/** Where images come from, and that they stay what they are. */
export const IMAGE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "image-digest",
    about: "An image is named by its digest, so that what was reviewed is what runs.",
    remedy: "Write repository@sha256:<64 hex digits>.",
    image: ({ reference, field }) =>
      parseImage(reference)?.digest ? undefined : `${field} is not pinned by a sha256 digest`,
  },
  {
    ...base,
    name: "image-registry",
    about: "Images come from registries that the platform's owners trust.",
    remedy:
      "Use an allowed registry, or add this one to images.registries of the policy configuration.",
    image: ({ reference, field }, { images }) =>
      isTrusted(reference, images.registries)
        ? undefined
        : `${field} is not from an allowed registry`,
  },
  {
    ...base,
    name: "image-pull-policy",
    level: "advisory",
    about: "A node without the image can still run the pod.",
    remedy: "Remove imagePullPolicy: with a digest, IfNotPresent is always right.",
    container: ({ spec }) =>
      spec.imagePullPolicy === "Never" ? "imagePullPolicy is Never" : undefined,
  },
];

function isTrusted(image: unknown, registries: readonly string[]): boolean {
  const reference = parseImage(image);
  return (
    reference !== undefined &&
    registries.some((pattern) =>
      matchesPrefix(`${reference.registry}/${reference.repository}`, pattern),
    )
  );
}
