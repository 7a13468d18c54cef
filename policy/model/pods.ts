import {
  type Container,
  containerAt,
  containersOf,
  imageAt,
  type Parts,
  type Pod,
  podAt,
  ROLES,
} from "./parts";
import { isBuiltIn, join, type KubernetesObject } from "./resource";
import { CONTAINER_FIELDS, isContainer, isPodSpec, isRecord, listsContainers } from "./shape";
import { isUnknown, isWithin, knownField } from "./unknown";
import { type Field, walk } from "./walk";

/** Where the kinds of Kubernetes itself that carry a pod have its spec. */
const POD_PATHS: Readonly<Record<string, string>> = {
  Pod: "spec",
  PodTemplate: "template.spec",
  CronJob: "spec.jobTemplate.spec.template.spec",
  ...Object.fromEntries(
    "ReplicationController ReplicaSet Deployment StatefulSet DaemonSet Job"
      .split(" ")
      .map((kind) => [kind, "spec.template.spec"]),
  ),
};

/** Where an object of Kubernetes itself has the spec of its pod; undefined for one that carries none. */
function podPathOf(object: KubernetesObject): string | undefined {
  const path = isBuiltIn(object) ? POD_PATHS[object.kind] : undefined;
  return path === undefined ? undefined : join(object.path, path);
}

/** Whether an object is of a kind of Kubernetes itself that carries a pod. */
export function isWorkload(object: KubernetesObject): boolean {
  return podPathOf(object) !== undefined;
}

/** Many rules ask for the parts of the same object. */
const found = new WeakMap<KubernetesObject, Parts>();

/**
 * Every pod, container and image in an object, known by its shape and not by the object's kind, so that
 * custom resources which carry them are judged like a Deployment. A field that is not known and may hold
 * any is one of each, which throws when it is read.
 */
export function partsOf(object: KubernetesObject): Parts {
  let parts = found.get(object);
  if (parts === undefined) {
    parts = new Search(object).parts;
    found.set(object, parts);
  }
  return parts;
}

/** Every pod in an object. */
export function podsOf(object: KubernetesObject): readonly Pod[] {
  return partsOf(object).pods;
}

/** One search through an object for what will run. */
class Search {
  readonly parts: Parts = { pods: [], containers: [], images: [] };
  /** Where the containers so far stand. */
  private readonly taken = new Set<string>();
  /** What is in no pod, but may be in one that an operator makes. */
  private readonly nowhere: Pod;
  private readonly podPath: string | undefined;

  constructor(private readonly object: KubernetesObject) {
    const { path, value } = object;
    this.podPath = podPathOf(object);
    this.nowhere = { object, path, spec: {}, metadata: {}, partial: true };
    const visit = (field: Field, within: Pod) => this.visit(field, within);
    const root = visit({ owner: object, key: "value", path }, this.nowhere);
    walk(value, path, root ?? this.nowhere, visit);
  }

  /** Takes what a field holds; returns the pod that its own fields are in. */
  private visit(field: Field, within: Pod): Pod | undefined {
    const { owner, key, path } = field;
    if (path === join(this.object.path, "metadata")) {
      return undefined;
    }
    if (key === "image") {
      this.takeImage(field, within);
    }
    if (isUnknown(owner, key)) {
      this.takeUnknown(field, within);
      return undefined;
    }
    const value: unknown = Reflect.get(owner, key);
    if (!isRecord(value) || this.taken.has(path)) {
      return within;
    }
    const pod = this.takePod(field, value);
    if (pod?.partial !== false && isContainer(value)) {
      this.takeContainer(containerAt(pod ?? within, "main", path, () => value));
    }
    return pod ?? within;
  }

  private takePod(field: Field, value: object): Pod | undefined {
    const isWorkloads = field.path === this.podPath;
    if (!isWorkloads && !isPodSpec(value)) {
      return undefined;
    }
    const isWhole = !this.object.patch && (isWorkloads || listsContainers(value));
    const pod = podAt(this.object, field, !isWhole);
    this.parts.pods.push(pod);
    for (const role of ROLES) {
      this.takeContainers(pod, role);
    }
    return pod;
  }

  private takeContainers(pod: Pod, role: Container["role"]): void {
    try {
      for (const container of containersOf(pod, role)) {
        this.takeContainer(container);
      }
    } catch (error) {
      this.takeContainer(
        containerAt(pod, role, join(pod.path, CONTAINER_FIELDS[role]), () => {
          throw error;
        }),
      );
    }
  }

  private takeContainer(container: Container): void {
    const { path, pod } = container;
    this.taken.add(path);
    this.parts.containers.push(container);
    if (!pod.partial) {
      this.parts.images.push(imageAt(this.object, path, "image", () => container.spec.image));
    }
  }

  /** An image volume, or what an operator runs; that of a whole pod's container was taken with it. */
  private takeImage({ owner, key, path }: Field, within: Pod): void {
    const image = knownField(owner, key);
    const isOperated = within.partial && (within !== this.nowhere || !isBuiltIn(this.object));
    if (isRecord(image) && "reference" in image) {
      this.parts.images.push(imageAt(this.object, path, "reference", () => image.reference));
    } else if (isOperated && (typeof image === "string" || isUnknown(owner, key))) {
      const place = path.slice(0, -`.${key}`.length);
      this.parts.images.push(imageAt(this.object, place, key, () => Reflect.get(owner, key)));
    }
  }

  /** A field that may hide what runs is a pod, a container and an image at once. */
  private takeUnknown({ owner, key, path }: Field, within: Pod): void {
    const read = () => Reflect.get(owner, key);
    const hidesPods = within.partial && this.mayHidePods(key, path);
    if (hidesPods || isWithin(path, join(within.path, "volumes"))) {
      this.parts.images.push(imageAt(this.object, path, "image", read));
    }
    if (hidesPods) {
      const pod = podAt(this.object, { owner, key, path: this.podPath ?? path }, false);
      this.parts.pods.push(pod);
      this.parts.containers.push(containerAt(pod, "main", path, read));
    }
  }

  /** Whether a field outside of pods may hold some: of a workload, one on the way to its pod; of others, any. */
  private mayHidePods(key: string, path: string): boolean {
    if (this.podPath !== undefined) {
      return isWithin(this.podPath, path);
    }
    return (
      (!isBuiltIn(this.object) || this.object.kind === "") && key !== "image" && key !== "metadata"
    );
  }
}
