import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import pRetry from "p-retry";
import { cacheRoot, duration, type Report, withLock } from "../../toolchain";
import { labTools, type ToolName } from "../tools";
import { debianCommand, stageFiles } from "./layer";
import { type Descriptor, writeLayout } from "./oci";
import { type Recipe, recipes } from "./recipes";
import { pushLayout, remoteDigest } from "./registry";

/** Debian packages that assemble and push images; catatonit is the content of the pause image. */
export const packages = ["catatonit", "debian-archive-keyring", "mmdebstrap", "skopeo"];

/** Retries of a push: half a minute in all, in addition to the response times of the registry. */
const PUSH_RETRIES = { retries: 5, minTimeout: 1000, factor: 2 };

type ToolPaths = ReadonlyMap<ToolName, string>;

/** The tools in an image. */
export function toolsOf({ layer }: Recipe): ToolName[] {
  if (layer.kind !== "files") {
    return [];
  }
  return Object.values(layer.files).flatMap((file) => ("tool" in file ? [file.tool] : []));
}

/**
 * The folder in the cache for the OCI layout of an image, even if it does not exist. The name has a hash
 * of the inputs of the image: its recipe, the pins of its tools, its files of this machine.
 */
export async function layoutFolder(recipe: Recipe): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(recipe));
  const files = recipe.layer.kind === "files" ? Object.values(recipe.layer.files) : [];
  for (const file of files) {
    if ("host" in file) {
      hash.update(readFileSync(file.host));
    }
    if ("tool" in file) {
      hash.update(await labTools.cachedPath(file.tool));
    }
  }
  const name = recipe.reference.replaceAll(/[/:]/g, "_");
  return join(cacheRoot(), "images", name, hash.digest("hex").slice(0, 16));
}

/** The manifest of a complete layout, or undefined if there is none. */
function readManifest(layout: string): Descriptor | undefined {
  try {
    const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
    return (index as { manifests: Descriptor[] }).manifests[0];
  } catch {
    return undefined;
  }
}

/** Assembles an image in a temporary folder, and renames it when it is complete. */
async function assemble(recipe: Recipe, layout: string, tools: ToolPaths): Promise<Descriptor> {
  const [partial, stage] = [`${layout}.partial`, `${layout}.stage`];
  for (const folder of [partial, stage]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const { layer, config } = recipe;
  const tar = layer.kind === "debian" ? debianCommand(layer) : stageFiles(layer, tools, stage);
  const manifest = await writeLayout(partial, tar, config);
  renameSync(partial, layout);
  rmSync(stage, { recursive: true });
  return manifest;
}

async function provideLayout(
  recipe: Recipe,
  layout: string,
  tools: Promise<ToolPaths>,
  report: Report,
): Promise<Descriptor> {
  const finished = readManifest(layout);
  if (finished) {
    return finished;
  }
  const label = `image ${recipe.reference}`;
  const paths = toolsOf(recipe).length > 0 ? await tools : new Map();
  const onWait = () => report(`${label}: another run is assembling it, waiting ...`);
  return withLock(`${layout}.lock`, onWait, async () => {
    const meanwhile = readManifest(layout);
    if (meanwhile) {
      return meanwhile;
    }
    report(`${label}: assembling ...`);
    const start = Date.now();
    const manifest = await assemble(recipe, layout, paths);
    report(`${label}: assembled in ${duration(Date.now() - start)}`);
    return manifest;
  });
}

/** An image in the cache. */
export interface Image {
  /** Upstream reference. */
  readonly reference: string;
  /** Folder of its OCI layout. */
  readonly layout: string;
  /** `sha256:...` of its manifest. */
  readonly digest: string;
}

/** The tools for images that are not in the cache. */
export async function missingImageTools(): Promise<ToolName[]> {
  const withTools = recipes.filter((recipe) => toolsOf(recipe).length > 0);
  const layouts = await Promise.all(withTools.map(layoutFolder));
  const missing = withTools.filter((_, index) => !readManifest(layouts[index] ?? ""));
  return [...new Set(missing.flatMap(toolsOf))];
}

/**
 * Ensures that the cache contains images. Each is assembled once per machine; images without tools do not wait for the tools.
 *
 * @param wanted default: all images of a lab
 * @throws if root or a package of `packages` is missing.
 */
export function assembleImages(
  tools: Promise<ToolPaths>,
  report: Report,
  wanted: readonly Recipe[] = recipes,
): Promise<Image[]> {
  return Promise.all(
    wanted.map(async (recipe): Promise<Image> => {
      const layout = await layoutFolder(recipe);
      const { digest } = await provideLayout(recipe, layout, tools, report);
      return { reference: recipe.reference, layout, digest };
    }),
  );
}

/**
 * Ensures that a plain-HTTP registry contains images, each under its full upstream reference:
 * `127.0.0.1:5001/docker.io/library/python:3.13-slim`. Only missing images are pushed. A failed push is retried a few times,
 * as the registry may be restarting.
 *
 * @returns upstream reference -> digest, in the order of the names.
 */
export async function pushImages(
  registry: string,
  images: readonly Image[],
  report: Report,
): Promise<Record<string, string>> {
  const push = async ({ layout, reference, digest }: Image) => {
    if ((await remoteDigest(registry, reference)) === digest) {
      return;
    }
    const start = Date.now();
    await pushLayout(layout, registry, reference);
    report(`image ${reference}: pushed in ${duration(Date.now() - start)}`);
  };
  await Promise.all(images.map((image) => pRetry(() => push(image), PUSH_RETRIES)));
  const digests = images.map(({ reference, digest }): [string, string] => [reference, digest]);
  return Object.fromEntries(digests.sort(([a], [b]) => (a < b ? -1 : 1)));
}
