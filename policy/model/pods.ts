import {
  type Container,
  type Contents,
  containerAt,
  containersOf,
  imageAt,
  type Pod,
  podAt,
  ROLES,
} from "./contents";
import { isBuiltIn, join, type KubernetesObject } from "./resource";
import { CONTAINER_FIELDS, isContainer, isPodSpec, isRecord, listsContainers } from "./shape";
import { isUnknown, isWithin, knownField } from "./unknown";
import { type Field, walk } from "./walk";

/** Path of the pod spec in built-in kinds. */
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

/** Path of the pod spec in an object of a built-in kind; undefined if it has none. */
function podPathOf(object: KubernetesObject): string | undefined {
  const path = isBuiltIn(object) ? POD_PATHS[object.kind] : undefined;
  return path === undefined ? undefined : join(object.path, path);
}

/** Whether an object has a built-in kind with a pod spec. */
export function isWorkload(object: KubernetesObject): boolean {
  return podPathOf(object) !== undefined;
}

/** Cache, as many rules use the contents of the same object. */
const found = new WeakMap<KubernetesObject, Contents>();

/**
 * Every pod, container and image in an object, recognized by its fields and not by the object's kind, so that
 * custom resources are evaluated like a Deployment. A field that is not known and may contain them counts as
 * one of each, which throws when it is read.
 */
export function contentsOf(object: KubernetesObject): Contents {
  let contents = found.get(object);
  if (contents === undefined) {
    contents = new Search(object).contents;
    found.set(object, contents);
  }
  return contents;
}

/** Every pod in an object. */
export function podsOf(object: KubernetesObject): readonly Pod[] {
  return contentsOf(object).pods;
}

/** One search through an object for pods, containers and images. */
class Search {
  readonly contents: Contents = { pods: [], containers: [], images: [] };
  /** Paths of the containers so far. */
  private readonly taken = new Set<string>();
  /** The pod for fields outside of pods, which an operator may put into one. */
  private readonly unknownPod: Pod;
  private readonly podPath: string | undefined;

  constructor(private readonly object: KubernetesObject) {
    const { path, value } = object;
    this.podPath = podPathOf(object);
    this.unknownPod = { object, path, spec: {}, metadata: {}, partial: true };
    const visit = (field: Field, within: Pod) => this.visit(field, within);
    const root = visit({ owner: object, key: "value", path }, this.unknownPod);
    walk(value, path, root ?? this.unknownPod, visit);
  }

  /** Adds the contents of a field; returns the pod that its fields belong to. */
  private visit(field: Field, within: Pod): Pod | undefined {
    const { owner, key, path } = field;
    if (path === join(this.object.path, "metadata")) {
      return undefined;
    }
    if (key === "image") {
      this.addImage(field, within);
    }
    if (isUnknown(owner, key)) {
      this.addUnknown(field, within);
      return undefined;
    }
    const value: unknown = Reflect.get(owner, key);
    if (!isRecord(value) || this.taken.has(path)) {
      return within;
    }
    const pod = this.addPod(field, value);
    if (pod?.partial !== false && isContainer(value)) {
      this.addContainer(containerAt(pod ?? within, "main", path, () => value));
    }
    return pod ?? within;
  }

  private addPod(field: Field, value: object): Pod | undefined {
    const isWorkloads = field.path === this.podPath;
    if (!isWorkloads && !isPodSpec(value)) {
      return undefined;
    }
    const isWhole = !this.object.patch && (isWorkloads || listsContainers(value));
    const pod = podAt(this.object, field, !isWhole);
    this.contents.pods.push(pod);
    for (const role of ROLES) {
      this.addContainers(pod, role);
    }
    return pod;
  }

  private addContainers(pod: Pod, role: Container["role"]): void {
    try {
      for (const container of containersOf(pod, role)) {
        this.addContainer(container);
      }
    } catch (error) {
      this.addContainer(
        containerAt(pod, role, join(pod.path, CONTAINER_FIELDS[role]), () => {
          throw error;
        }),
      );
    }
  }

  private addContainer(container: Container): void {
    const { path, pod } = container;
    this.taken.add(path);
    this.contents.containers.push(container);
    if (!pod.partial) {
      this.contents.images.push(imageAt(this.object, path, "image", () => container.spec.image));
    }
  }

  /** Adds an image volume, or an image that an operator runs; images of containers are added with the pod. */
  private addImage({ owner, key, path }: Field, within: Pod): void {
    const image = knownField(owner, key);
    const isOperated = within.partial && (within !== this.unknownPod || !isBuiltIn(this.object));
    if (isRecord(image) && "reference" in image) {
      this.contents.images.push(imageAt(this.object, path, "reference", () => image.reference));
    } else if (isOperated && (typeof image === "string" || isUnknown(owner, key))) {
      const place = path.slice(0, -`.${key}`.length);
      this.contents.images.push(imageAt(this.object, place, key, () => Reflect.get(owner, key)));
    }
  }

  /** Adds an unknown field, which may contain pods, as a pod, a container and an image. */
  private addUnknown({ owner, key, path }: Field, within: Pod): void {
    const read = () => Reflect.get(owner, key);
    const hidesPods = within.partial && this.mayContainPods(key, path);
    if (hidesPods || isWithin(path, join(within.path, "volumes"))) {
      this.contents.images.push(imageAt(this.object, path, "image", read));
    }
    if (hidesPods) {
      const pod = podAt(this.object, { owner, key, path: this.podPath ?? path }, false);
      this.contents.pods.push(pod);
      this.contents.containers.push(containerAt(pod, "main", path, read));
    }
  }

  /** Whether a field outside of pods may contain pods: in a workload, fields on the path to its pod; in others, any. */
  private mayContainPods(key: string, path: string): boolean {
    if (this.podPath !== undefined) {
      return isWithin(this.podPath, path);
    }
    return (
      (!isBuiltIn(this.object) || this.object.kind === "") && key !== "image" && key !== "metadata"
    );
  }
}
