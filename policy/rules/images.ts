import { parseImage } from "../model/image";
import { matchesPrefix } from "../model/pattern";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/containers/images/",
} as const;

/** Rules for image references. */
export const IMAGE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "image-digest",
    description:
      "An image reference has a digest, so that the reviewed image is the one that runs.",
    remedy: "Write repository@sha256:<64 hex digits>.",
    image: ({ reference, field }) =>
      parseImage(reference)?.digest ? undefined : `${field} is not pinned by a sha256 digest`,
  },
  {
    ...base,
    name: "image-registry",
    description: "Images come from registries that the platform team trusts.",
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
    description: "A node can pull an image that it does not have.",
    remedy: "Remove imagePullPolicy: with a digest, IfNotPresent is correct.",
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
