import type { Config } from "../config/schema";
import type { Container, Image, Pod } from "../model/parts";
import type { KubernetesObject, Resource } from "../model/resource";
import type { Stack } from "../model/stack";

/** A mandatory finding stops the preview or the update; an advisory one is shown. */
export type Level = "mandatory" | "advisory";

/** What is wrong, as it follows a field path in a sentence; none where all is well. */
export type Verdict = string | readonly string[] | undefined;

/** The sets of rules that a platform team knows by name. */
export type Pack = "baseline" | "restricted" | "platform";

/**
 * One rule. It is judged at every scope that it has a function for, once for each subject. It never
 * quotes a value of the resource, because secrets arrive here in clear: a place and a reason do.
 */
export interface Rule {
  /** What exemptions, levels and messages call it. */
  readonly name: string;
  readonly pack: Pack;
  readonly level: Level;
  /** True for an advisory rule that no configuration switches off: without it, something passes in silence. */
  readonly alwaysOn?: boolean;
  /** What must hold, and why. */
  readonly about: string;
  /** What to write instead, as one sentence. */
  readonly remedy: string;
  /** The standard that it implements. */
  readonly url?: string;
  pod?(pod: Pod, config: Config): Verdict;
  container?(container: Container, config: Config): Verdict;
  /** For what names an image, in a container or elsewhere. */
  image?(image: Image, config: Config): Verdict | Promise<Verdict>;
  object?(object: KubernetesObject, config: Config): Verdict;
  /** For resources of any provider. */
  resource?(resource: Resource, config: Config): Verdict | Promise<Verdict>;
  /** For an object in the light of all others; judged when the whole stack is known. */
  inStack?(object: KubernetesObject, stack: Stack, config: Config): Verdict;
}
