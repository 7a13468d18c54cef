import { parseImage } from "../model/image";
import { matchesPrefix } from "../model/pattern";
import { podsOf } from "../model/pods";
import { join, type KubernetesObject } from "../model/resource";
import { knownEntries } from "../model/unknown";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/containers/images/",
} as const;

/** API groups of Kubernetes itself, whose objects name images in pods only. */
const BUILT_IN = /^(v1|(apps|batch|autoscaling|policy|[a-z.]+\.k8s\.io)\/.*)$/;

/** Whether an API version is one of Kubernetes itself. */
export function isBuiltIn(apiVersion: string): boolean {
  return BUILT_IN.test(apiVersion);
}

/** Images that a custom resource names outside of pods: an operator makes pods of them. */
function strayImages(object: KubernetesObject): [string, unknown][] {
  const places: [string, unknown][] = [];
  const pods = new Set<unknown>(podsOf(object).map(({ spec }) => spec));
  const visit = (node: unknown, path: string) => {
    if (typeof node !== "object" || node === null || pods.has(node)) {
      return;
    }
    for (const [key, value] of knownEntries(node)) {
      const place = Array.isArray(node) ? `${path}[${key}]` : join(path, key);
      if (key === "image" && typeof value === "string") {
        places.push([place, value]);
      }
      visit(value, place);
    }
  };
  if (!isBuiltIn(object.apiVersion)) {
    visit(object.value.spec, "spec");
  }
  return places;
}

/** Where images come from, and that they stay what they are. */
export const IMAGE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "image-digest",
    about: "An image is named by its digest, so that what was reviewed is what runs.",
    remedy: "Write repository@sha256:<64 hex digits>.",
    container: ({ spec }) =>
      parseImage(spec.image)?.digest ? undefined : "image is not pinned by a sha256 digest",
    object: (object) =>
      strayImages(object)
        .filter(([, image]) => !parseImage(image)?.digest)
        .map(([place]) => `${place} is not pinned by a sha256 digest`),
  },
  {
    ...base,
    name: "image-registry",
    about: "Images come from registries that the platform's owners trust.",
    remedy:
      "Use an allowed registry, or add this one to images.registries of the policy configuration.",
    container: ({ spec }, config) =>
      isTrusted(spec.image, config.images.registries)
        ? undefined
        : "image is not from an allowed registry",
    object: (object, config) =>
      strayImages(object)
        .filter(([, image]) => !isTrusted(image, config.images.registries))
        .map(([place]) => `${place} is not from an allowed registry`),
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
