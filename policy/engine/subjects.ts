import type { Config } from "../config/schema";
import type { Container, Image, Pod } from "../model/contents";
import { contentsOf } from "../model/pods";
import { type KubernetesObject, objectsOf, type Resource } from "../model/resource";
import { UnknownValue } from "../model/unknown";
import type { Rule, Violations } from "../rules/rule";

/** The scopes of rules. */
type Scope = "resource" | "object" | "pod" | "container" | "image";

/** A part of a resource for which a rule is evaluated once. */
export interface Subject {
  readonly scope: Scope;
  readonly path: string;
  readonly object?: KubernetesObject;
  readonly check: (rule: Rule, config: Config) => Violations | Promise<Violations>;
}

/** A resource and its subjects, for any number of rules. */
export interface Case {
  readonly resource: Resource;
  readonly subjects: readonly Subject[];
}

/** Splits a resource into subjects. */
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
  const { pods, containers, images } = contentsOf(object);
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
      ? (rule, config) => checkPartial((one) => rule.pod?.(one, config), pod, nothing)
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
      ? (rule, config) => checkPartial((one) => rule.container?.(one, config), container, nothing)
      : (rule, config) => rule.container?.(container, config),
  };
}

function ofImage(image: Image): Subject {
  const { object, path } = image;
  return { scope: "image", path, object, check: (rule, config) => rule.image?.(image, config) };
}

/**
 * Evaluates a rule for a partial pod. A rule that has violations for an empty pod requires a field, which
 * may be defined elsewhere, so it is not evaluated. A field of a wrong type shows that the object is not a
 * pod.
 */
function checkPartial<T>(check: (part: T) => Violations, part: T, nothing: T): Violations {
  try {
    return [check(nothing) ?? []].flat().length === 0 ? check(part) : undefined;
  } catch (error) {
    if (error instanceof UnknownValue) {
      throw error;
    }
    return undefined;
  }
}
