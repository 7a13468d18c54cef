import type { Config } from "../config/schema";
import type { Container, Image, Pod } from "../model/parts";
import { partsOf } from "../model/pods";
import { type KubernetesObject, objectsOf, type Resource } from "../model/resource";
import { UnknownValue } from "../model/unknown";
import type { Rule, Verdict } from "../rules/rule";

/** The scopes at which a rule looks at a resource. */
type Scope = "resource" | "object" | "pod" | "container" | "image";

/** Something that a rule is asked about once. */
export interface Subject {
  readonly scope: Scope;
  readonly path: string;
  readonly object?: KubernetesObject;
  readonly check: (rule: Rule, config: Config) => Verdict | Promise<Verdict>;
}

/** A resource, taken apart into what rules look at; good for any number of rules. */
export interface Case {
  readonly resource: Resource;
  readonly subjects: readonly Subject[];
}

/** Takes a resource apart. */
export function caseOf(resource: Resource): Case {
  const whole: Subject = {
    scope: "resource",
    path: "",
    check: (rule, config) => rule.resource?.(resource, config),
  };
  return { resource, subjects: [whole, ...objectsOf(resource).flatMap(subjectsIn)] };
}

/** An object, and its pods, containers and images. */
function subjectsIn(object: KubernetesObject): Subject[] {
  const { pods, containers, images } = partsOf(object);
  const whole: Subject = {
    scope: "object",
    path: object.path,
    object,
    check: (rule, config) => rule.object?.(object, config),
  };
  return [whole, ...pods.map(ofPod), ...containers.map(ofContainer), ...images.map(ofImage)];
}

function ofPod(pod: Pod): Subject {
  const { object, path, partial } = pod;
  const nothing: Pod = { object, path, partial, spec: {}, metadata: {} };
  return {
    scope: "pod",
    path,
    object,
    check: partial
      ? (rule, config) => written((one) => rule.pod?.(one, config), pod, nothing)
      : (rule, config) => rule.pod?.(pod, config),
  };
}

function ofContainer(container: Container): Subject {
  const { pod, role, path } = container;
  const nothing: Container = { pod, role, path, spec: {} };
  return {
    scope: "container",
    path,
    object: pod.object,
    check: pod.partial
      ? (rule, config) => written((one) => rule.container?.(one, config), container, nothing)
      : (rule, config) => rule.container?.(container, config),
  };
}

function ofImage(image: Image): Subject {
  const { object, path } = image;
  return { scope: "image", path, object, check: (rule, config) => rule.image?.(image, config) };
}

/**
 * What a rule says of a part of a pod. One that objects to nothing at all asks for something that may be
 * elsewhere: only the others can judge a part. A field of a wrong type is no field of a pod: the shape
 * misled.
 */
function written<T>(judge: (part: T) => Verdict, part: T, nothing: T): Verdict {
  try {
    return [judge(nothing) ?? []].flat().length === 0 ? judge(part) : undefined;
  } catch (error) {
    if (error instanceof UnknownValue) {
      throw error;
    }
    return undefined;
  }
}
