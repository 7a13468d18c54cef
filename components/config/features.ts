import type { z } from "zod";

interface Feature {
  readonly schema: z.ZodType;
}

/** The schemas of features, by their keys in the configuration. */
export function schemasOf<Features extends Record<string, Feature>>(features: Features) {
  const entries = Object.entries(features).map(([key, { schema }]) => [key, schema]);
  return Object.fromEntries(entries) as { [Key in keyof Features]: Features[Key]["schema"] };
}

/**
 * Collects the results of a function for each feature and its settings.
 * @param config the settings of all features, by key
 */
export function collect<F extends Feature, Part>(
  features: Readonly<Record<string, F>>,
  config: Readonly<Record<string, unknown>>,
  of: (feature: F, settings: unknown, key: string) => readonly Part[] | undefined,
): Part[] {
  return Object.entries(features).flatMap(([key, feature]) => of(feature, config[key], key) ?? []);
}
