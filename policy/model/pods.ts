import type { ContainerSpec, Metadata, PodSpec } from "./kubernetes";
import { isBuiltIn, join, type KubernetesObject } from "./resource";
import { CONTAINER_FIELDS, isContainer, isPodSpec, isRecord, listsContainers } from "./shape";
import { isUnknown, knownField, placeOf } from "./unknown";
import { type Field, walk } from "./walk";

export { isRecord };

/** A pod, or the pod template inside any other kind. */
export interface Pod {
  readonly object: KubernetesObject;
  /** Reading it throws where it is not known yet. */
  readonly spec: PodSpec;
  readonly metadata: Metadata;
  /** Where its spec stands in the resource, for example `spec.template.spec`. */
  readonly path: string;
  /** True where an operator, or the object that is patched, has the rest: what is absent says nothing. */
  readonly partial: boolean;
}

/** One container of a pod. */
export interface Container {
  readonly pod: Pod;
  /** Reading it throws where it is not known yet. */
  readonly spec: ContainerSpec;
  readonly role: "init" | "main" | "ephemeral";
  /** Where it stands in the resource, for example `spec.template.spec.containers[0]`. */
  readonly path: string;
}

/** A place that names an image. */
export interface Image {
  readonly object: KubernetesObject;
  /** What is written there. Reading it throws where it is not known yet. */
  readonly reference: unknown;
  readonly field: string;
  /** Where the field's owner stands in the resource, for example a container. */
  readonly path: string;
}

/** All of an object that will run. */
interface Parts {
  readonly pods: Pod[];
  readonly containers: Container[];
  readonly images: Image[];
}

/** The roles that a container can have in its pod. */
export const ROLES = Object.keys(CONTAINER_FIELDS) as Container["role"][];

const WORKLOAD =
  /^(Pod|PodTemplate|ReplicationController|ReplicaSet|Deployment|StatefulSet|DaemonSet|Job|CronJob)$/;

/** Whether an object is of a kind of Kubernetes itself that carries a pod. */
export function isWorkload(object: KubernetesObject): boolean {
  return isBuiltIn(object) && WORKLOAD.test(object.kind);
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

/** The containers of a pod in one role. */
export function containersOf(pod: Pod, role: Container["role"]): Container[] {
  const field = CONTAINER_FIELDS[role];
  const list: unknown = pod.spec[field] ?? [];
  if (typeof list !== "object" || list === null) {
    throw new TypeError(`${field} is no list`);
  }
  const path = join(pod.path, field);
  return Object.keys(list).map((key) =>
    containerAt(pod, role, placeOf(list, key, path), () => Reflect.get(list, key)),
  );
}

function containerAt(
  pod: Pod,
  role: Container["role"],
  path: string,
  read: () => ContainerSpec,
): Container {
  return {
    pod,
    role,
    path,
    get spec() {
      return read();
    },
  };
}

function podAt(object: KubernetesObject, { owner, key, path }: Field, partial: boolean): Pod {
  return {
    object,
    path,
    partial,
    get spec() {
      return Reflect.get(owner, key) as PodSpec;
    },
    get metadata() {
      const metadata: unknown = key === "spec" ? Reflect.get(owner, "metadata") : undefined;
      return isRecord(metadata) ? metadata : {};
    },
  };
}

function imageAt(
  object: KubernetesObject,
  path: string,
  field: string,
  read: () => unknown,
): Image {
  return {
    object,
    path,
    field,
    get reference() {
      return read();
    },
  };
}

/** One search through an object for what will run. */
class Search {
  readonly parts: Parts = { pods: [], containers: [], images: [] };
  /** The containers so far, by their paths. */
  private readonly containers = new Map<string, Container>();
  /** What is in no pod, but may be in one that an operator makes. */
  private readonly nowhere: Pod;

  constructor(private readonly object: KubernetesObject) {
    const { path, value } = object;
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
    if (!isRecord(value) || this.containers.has(path)) {
      return within;
    }
    const pod = this.takePod(field, value);
    if (pod?.partial !== false && isContainer(value)) {
      this.takeContainer(containerAt(pod ?? within, "main", path, () => value));
    }
    return pod ?? within;
  }

  private takePod(field: Field, value: object): Pod | undefined {
    const isTemplate = this.isTemplate(field.path);
    if (!isTemplate && !isPodSpec(value)) {
      return undefined;
    }
    const isWhole = !this.object.patch && (isTemplate || listsContainers(value));
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
    this.containers.set(path, container);
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
  private takeUnknown(field: Field, within: Pod): void {
    const { owner, key, path } = field;
    const read = () => Reflect.get(owner, key);
    if (within.partial ? this.mayHidePods(key) : path.startsWith(`${within.path}.volumes`)) {
      this.parts.images.push(imageAt(this.object, path, "image", read));
    }
    if (within.partial && this.mayHidePods(key)) {
      const pod = podAt(this.object, field, false);
      this.parts.pods.push(pod);
      this.parts.containers.push(containerAt(pod, "main", path, read));
    }
  }

  /** Whether a field outside of pods may hold some: any of a custom resource; of a workload, those on the way to its pod. */
  private mayHidePods(key: string): boolean {
    const { object } = this;
    return isWorkload(object) || object.kind === ""
      ? /^(spec|template|jobTemplate)$/.test(key)
      : !isBuiltIn(object) && !/^(image|metadata)$/.test(key);
  }

  private isTemplate(path: string): boolean {
    const { object } = this;
    return (
      isWorkload(object) &&
      (object.kind === "Pod"
        ? path === join(object.path, "spec")
        : /(^|\.)template\.spec$/.test(path))
    );
  }
}
