import type { Config } from "../config/schema";
import type { Container, Image, Pod } from "../model/contents";
import type { KubernetesObject, Resource } from "../model/resource";
import type { Stack } from "../model/stack";

/** A mandatory finding stops the preview or the update; an advisory one is shown. */
export type Level = "mandatory" | "advisory";

/** Violations, each as text that begins with a path; undefined if there are none. */
export type Violations = string | readonly string[] | undefined;

/** The sets of rules. */
export type Pack = "baseline" | "restricted" | "platform";

/**
 * One rule. It is evaluated at every scope for which it has a function, once for each subject. It never
 * quotes a value of the resource, because secrets are in plain text here, but only a path and a reason.
 */
export interface Rule {
  /** Its name in exemptions, levels and messages. */
  readonly name: string;
  readonly pack: Pack;
  readonly level: Level;
  /** True for an advisory rule that cannot be disabled, as it reports what was not checked. */
  readonly alwaysOn?: boolean;
  /** The requirement, and its reason. */
  readonly description: string;
  /** How to fix a violation, as one sentence. */
  readonly remedy: string;
  /** The standard that it implements. */
  readonly url?: string;
  pod?(pod: Pod, config: Config): Violations;
  container?(container: Container, config: Config): Violations;
  /** For image references in containers and elsewhere. */
  image?(image: Image, config: Config): Violations | Promise<Violations>;
  object?(object: KubernetesObject, config: Config): Violations;
  /** For resources of any provider. */
  resource?(resource: Resource, config: Config): Violations | Promise<Violations>;
  /** For an object and all others of the stack; evaluated when the whole stack is known. */
  inStack?(object: KubernetesObject, stack: Stack, config: Config): Violations;
}
