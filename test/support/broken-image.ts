import { createHash } from "node:crypto";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Content of the registry, with its digest. */
interface Blob {
  readonly digest: string;
  readonly bytes: string;
}

/**
 * Pushes an image, and then deletes a layer of it from the registry: its manifest is valid, but no node can pull it.
 * @param registry address of a plain-HTTP registry, such as `127.0.0.1:5001`
 * @returns its reference, by digest
 */
export async function pushBrokenImage(registry: string): Promise<string> {
  const name = "ml-platform/broken";
  const base = `http://${registry}/v2/${name}`;
  const layer = blob("a deleted layer");
  const config = blob(JSON.stringify({ architecture: "amd64", os: "linux", config: {} }));
  const manifest = blob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }),
  );
  for (const { digest, bytes } of [layer, config]) {
    const upload = await call("POST", `${base}/blobs/uploads/`);
    const place = new URL(upload.headers.get("location") ?? "", base);
    place.searchParams.set("digest", digest);
    await call("PUT", place, bytes, "application/octet-stream");
  }
  await call("PUT", `${base}/manifests/${manifest.digest}`, manifest.bytes, MANIFEST);
  await call("DELETE", `${base}/blobs/${layer.digest}`);
  return `${registry}/${name}@${manifest.digest}`;
}

function blob(bytes: string): Blob {
  return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, bytes };
}

function descriptor(mediaType: string, { digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}

async function call(method: string, url: string | URL, body?: string, type?: string) {
  const content = { ...(body && { body }), ...(type && { headers: { "content-type": type } }) };
  const response = await fetch(url, { method, ...content });
  if (!response.ok) {
    throw new Error(`${method} ${url}: HTTP ${response.status}`);
  }
  return response;
}
