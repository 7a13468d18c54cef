import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

interface Manifest {
  readonly layers?: { digest: string; size: number; mediaType: string }[];
  readonly manifests?: { digest: string; platform?: { architecture: string } }[];
}

/** Size of an image's layers in bytes: compressed, and unpacked on a node's disk. */
export interface ImageSize {
  readonly compressed: number;
  readonly unpacked: number;
}

const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/**
 * Measures an image in a plain-HTTP registry.
 * @param reference `host:port/repository:tag@digest`
 */
export async function imageSize(reference: string): Promise<ImageSize> {
  const [, host, repository, digest] =
    /^([^/]+)\/([^@]+?)(?::[^/@]+)?@(sha256:\w+)$/.exec(reference) ?? [];
  const url = (kind: string, of: string) => `http://${host}/v2/${repository}/${kind}/${of}`;
  const manifest = async (of: string): Promise<Manifest> => {
    const answer = await fetch(url("manifests", of), { headers: { accept: ACCEPT } });
    if (!answer.ok) {
      throw new Error(`${reference}: the registry returned status ${answer.status}`);
    }
    return (await answer.json()) as Manifest;
  };
  const top = await manifest(digest ?? "");
  const real = top.manifests?.find(({ platform }) => platform?.architecture !== "unknown");
  const { layers = [] } = real ? await manifest(real.digest) : top;
  const unpacked = await Promise.all(
    layers.map(async (layer) =>
      unpackedSize(await fetch(url("blobs", layer.digest)), layer.mediaType),
    ),
  );
  const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
  return { compressed: sum(layers.map(({ size }) => size)), unpacked: sum(unpacked) };
}

async function unpackedSize({ body }: Response, mediaType: string): Promise<number> {
  if (!body) {
    throw new Error("the registry sent a layer without content");
  }
  const stream = Readable.fromWeb(body as never);
  const plain = mediaType.endsWith("gzip") ? stream.pipe(createGunzip()) : stream;
  let bytes = 0;
  for await (const chunk of plain) {
    bytes += (chunk as Buffer).length;
  }
  return bytes;
}
