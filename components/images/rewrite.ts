/** Fields with a list of containers, in any kind. */
const CONTAINERS = new Set(["containers", "initContainers", "ephemeralContainers"]);

/** A flag with its value, or a value without a flag. */
const FLAG = /^(?<flag>--?[\w.-]+=)?(?<value>\S+)$/;

/** The registry of a reference whose first part is not a host. */
const DOCKER_HUB = "docker.io";

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && value.constructor === Object;
}

/** A reference with registry and repository in full, as container runtimes complete it, and without a digest. */
export function fullReference(image: string): string {
  const reference = image.replace(/@sha256:[a-f0-9]{64}$/, "");
  const [host = "", ...path] = reference.split("/");
  if (path.length > 0 && (/[.:]/.test(host) || host === "localhost")) {
    return reference;
  }
  return `${DOCKER_HUB}/${path.length > 0 ? "" : "library/"}${reference}`;
}

/**
 * An object whose images are replaced, in all fields but metadata: in a value that is an image, and in one that is a flag with
 * an image, such as `--solver-image=quay.io/acme/solver:v1`.
 * @param references the replacements, by {@link fullReference}
 */
export function withImages<T>(value: T, references: ReadonlyMap<string, string>): T {
  return replaced(value, references) as T;
}

function replaced(value: unknown, references: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") {
    const { flag = "", value: image = "" } = FLAG.exec(value)?.groups ?? {};
    const reference = references.get(fullReference(image));
    return reference ? `${flag}${reference}` : value;
  }
  if (Array.isArray(value)) {
    return value.map((item) => replaced(item, references));
  }
  if (!isFields(value)) {
    return value;
  }
  const entries = Object.entries(value).map(([key, field]) => [
    key,
    key === "metadata" ? field : replaced(field, references),
  ]);
  return Object.fromEntries(entries);
}

/** The images of all containers and image volumes in an object of any kind. */
export function containerImages(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.flatMap(containerImages);
  }
  if (!isFields(value)) {
    return [];
  }
  return Object.entries(value).flatMap(([key, field]) => [
    ...(CONTAINERS.has(key) && Array.isArray(field) ? field.flatMap(imageOf) : []),
    ...(key === "volumes" && Array.isArray(field) ? field.flatMap(volumeImage) : []),
    ...containerImages(field),
  ]);
}

function imageOf(container: unknown): string[] {
  return isFields(container) && typeof container.image === "string" ? [container.image] : [];
}

function volumeImage(volume: unknown): string[] {
  const { image } = isFields(volume) ? volume : {};
  return isFields(image) && typeof image.reference === "string" ? [image.reference] : [];
}
