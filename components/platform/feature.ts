import type { z } from "zod";
import type { CatalogueEntry } from "../images/catalogue";
import type { PlatformContract } from "./contract";

/** What other parts of the program need from a feature of the platform. */
export interface PlatformFeature<Schema extends z.ZodType> {
  /** Its key of the configuration. */
  readonly schema: Schema;
  /** The images that it runs. */
  images?(settings: z.output<Schema>): CatalogueEntry[];
  /**
   * What it offers to teams.
   * @param namespace of the platform
   */
  contract?(settings: z.output<Schema>, namespace: string): Partial<PlatformContract>;
  /** Namespaces that it uses, besides the platform's. No team can have their names. */
  namespaces?(contract: PlatformContract): string[];
}

/** A feature, with the type of its schema. */
export function platformFeature<Schema extends z.ZodType>(feature: PlatformFeature<Schema>) {
  return feature;
}
