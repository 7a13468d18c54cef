import type { ContainerSpec, Metadata, PodSpec } from "./kubernetes";
import { join, type KubernetesObject } from "./resource";
import { CONTAINER_FIELDS, isRecord } from "./shape";
import { placeOf } from "./unknown";
import type { Field } from "./walk";

/** A pod, or a pod template in another object. */
export interface Pod {
  readonly object: KubernetesObject;
  /** Reading it throws if it is not known yet. */
  readonly spec: PodSpec;
  readonly metadata: Metadata;
  /** Path of its spec in the resource, for example `spec.template.spec`. */
  readonly path: string;
  /** True if an operator, or the object that is patched, adds other fields, so that missing fields mean nothing. */
  readonly partial: boolean;
}

/** One container of a pod. */
export interface Container {
  readonly pod: Pod;
  /** Reading it throws if it is not known yet. */
  readonly spec: ContainerSpec;
  readonly role: "init" | "main" | "ephemeral";
  /** Its path in the resource, for example `spec.template.spec.containers[0]`. */
  readonly path: string;
}

/** A field with an image reference. */
export interface Image {
  readonly object: KubernetesObject;
  /** Value of the field. Reading it throws if it is not known yet. */
  readonly reference: unknown;
  readonly field: string;
  /** Path of the object with the field, for example a container. */
  readonly path: string;
}

/** The pods, containers and images in an object. */
export interface Contents {
  readonly pods: Pod[];
  readonly containers: Container[];
  readonly images: Image[];
}

/** The roles that a container can have in its pod. */
export const ROLES = Object.keys(CONTAINER_FIELDS) as Container["role"][];

/** The containers of a pod with one role. */
export function containersOf(pod: Pod, role: Container["role"]): Container[] {
  const field = CONTAINER_FIELDS[role];
  const list: unknown = pod.spec[field] ?? [];
  if (typeof list !== "object" || list === null) {
    throw new TypeError(`${field} is not a list`);
  }
  const path = join(pod.path, field);
  return Object.keys(list).map((key) =>
    containerAt(pod, role, placeOf(list, key, path), () => Reflect.get(list, key)),
  );
}

/** A container that is read lazily. */
export function containerAt(
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

/** A pod that is read lazily. */
export function podAt(
  object: KubernetesObject,
  { owner, key, path }: Field,
  partial: boolean,
): Pod {
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

/** An image that is read lazily. */
export function imageAt(
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
