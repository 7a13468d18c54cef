import { z } from "zod";
import {
  dnsLabel,
  existingNamespace,
  filePath,
  httpUrl,
  labelValue,
  registry,
  text,
} from "../config/types";
import { upstreamImage } from "../images/schema";

const name = text.describe("Name of the chart");

const version = z
  .string()
  .regex(
    /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/,
    "must be an exact version such as 1.2.3; with a range or latest, an update could install another version without a change of the program",
  )
  .describe("Exact version of the chart");

/** Where a chart is. A feature that installs a chart can offer it as a setting, with its default. */
export const chartSource = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("repository").describe("A chart repository, or a mirror of one"),
      url: httpUrl("https://charts.example.com").describe("URL of the folder of its index.yaml"),
      name,
      version,
    }),
    z.strictObject({
      kind: z.literal("oci").describe("An OCI registry, or a mirror of one"),
      registry: registry.describe("Registry, with the path above the chart"),
      name,
      version,
    }),
    z.strictObject({
      kind: z.literal("folder").describe("A folder"),
      path: filePath.describe("Folder of the chart, or its package (.tgz)"),
    }),
  ])
  .describe("Where the chart is");

const values = z
  .record(z.string(), z.unknown())
  .refine(
    (given) => z.json().safeParse(given).success,
    "must be plain values, without outputs and functions: a preview renders a chart only if all its values are known",
  )
  .default({})
  .describe("Values of the chart");

/** The settings of a chart. */
export const chartSettings = z.strictObject({
  chart: chartSource,
  namespace: existingNamespace.describe("Namespace of the chart's objects"),
  release: dnsLabel.optional().describe("Name of the release, from which charts derive names"),
  values,
  images: z.array(upstreamImage).default([]).describe("Images of the chart's objects"),
  crds: z.enum(["keep", "delete"]).default("keep").describe("CRDs of the chart after a destroy"),
  owner: labelValue.default("ml-platform").describe("Value of the label ml-platform/owner"),
  retainData: z.boolean().default(true).describe("Protect namespaces and volumes"),
});
