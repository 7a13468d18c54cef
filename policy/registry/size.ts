import { z } from "zod";
import type { ImageReference } from "../model/image";
import { matches } from "../model/pattern";
import { type SizeCache, sizeCache } from "./cache";
import { RegistryError, RepositoryClient, UnreachableError } from "./client";
import { credentialsOf } from "./credentials";

const blob = z.object({ digest: z.string(), size: z.int().nonnegative() });

const manifestSchema = z.object({ config: blob, layers: z.array(blob) });

const indexSchema = z.object({
  manifests: z.array(
    blob.extend({ platform: z.object({ os: z.string(), architecture: z.string() }).optional() }),
  ),
});

/** How registries are contacted. */
export interface SizeOptions {
  readonly plainHttp: readonly string[];
  readonly timeoutSeconds: number;
}

/** Measures the compressed bytes of an image, as a node pulls them. */
export type MeasureImage = (image: ImageReference, options: SizeOptions) => Promise<number>;

/**
 * Returns a function that measures the compressed bytes of images: of configuration and layers, each counted
 * once; for several platforms, of the largest. It throws `RegistryError`.
 * @param cache sizes of earlier measurements
 * @param credentials returns the credentials of a registry
 */
export function measureWith(cache: SizeCache, credentials: typeof credentialsOf): MeasureImage {
  const registries = new Map<string, Registry>();
  const registryOf = (name: string): Registry => {
    const registry = registries.get(name) ?? { credentials: credentials(name) };
    registries.set(name, registry);
    return registry;
  };
  return (image, options) => {
    const name = `${image.registry}/${image.repository}:${image.tag ?? "latest"}`;
    return cache.get(image.digest ?? name, async () => {
      const registry = registryOf(image.registry);
      if (registry.unreachable) {
        throw registry.unreachable;
      }
      try {
        return await measure(image, options, await registry.credentials);
      } catch (error) {
        if (error instanceof UnreachableError) {
          registry.unreachable = error;
        }
        throw error;
      }
    });
  };
}

/** State of a registry in this process. */
interface Registry {
  readonly credentials: Promise<string | undefined>;
  /** Set once it did not respond, so that other images do not wait for it. */
  // biome-ignore lint/plugin: it is set while the object is in use.
  unreachable?: UnreachableError;
}

/** Measures with the cache and credentials of this machine. */
export const measureImage = measureWith(sizeCache, credentialsOf);

async function measure(
  image: ImageReference,
  options: SizeOptions,
  credentials: string | undefined,
): Promise<number> {
  const client = new RepositoryClient(image, {
    plainHttp: options.plainHttp.some((pattern) => matches(image.registry, pattern)),
    timeoutSeconds: options.timeoutSeconds,
    credentials,
  });
  const manifest = await client.manifest(image.digest ?? image.tag ?? "latest");
  const index = indexSchema.safeParse(manifest);
  if (!index.success) {
    return sumOf(manifest);
  }
  const platforms = index.data.manifests.filter(({ platform }) => platform?.os !== "unknown");
  const sizes = await Promise.all(
    platforms.map(async ({ digest }) => sumOf(await client.manifest(digest))),
  );
  if (sizes.length === 0) {
    throw new RegistryError("invalid", "the response of the registry is an empty index");
  }
  return Math.max(...sizes);
}

function sumOf(manifest: unknown): number {
  const { data, success } = manifestSchema.safeParse(manifest);
  if (!success) {
    throw new RegistryError("invalid", "the response of the registry is not an image manifest");
  }
  const blobs = new Map<string, number>();
  for (const { digest, size } of [data.config, ...data.layers]) {
    blobs.set(digest, Math.max(size, blobs.get(digest) ?? 0));
  }
  return [...blobs.values()].reduce((sum, size) => sum + size, 0);
}
