import { x } from "tinyexec";
import { manifestType } from "./oci";

/** Timeout of a request to a registry on this machine, in milliseconds; the caller retries. */
const answerTimeout = 60_000;

/** The repository and tag of `path/to/name:tag`. */
export function splitReference(reference: string): { repository: string; tag: string } {
  const at = reference.lastIndexOf(":");
  if (at <= reference.lastIndexOf("/")) {
    throw new Error(`${reference}: an image without a tag.`);
  }
  return { repository: reference.slice(0, at), tag: reference.slice(at + 1) };
}

/**
 * The digest of a reference in a plain-HTTP registry, or undefined if it does not exist.
 *
 * @throws if the registry does not respond, or with another status than 200 and 404.
 */
export async function remoteDigest(
  registry: string,
  reference: string,
): Promise<string | undefined> {
  const { repository, tag } = splitReference(reference);
  const url = `http://${registry}/v2/${repository}/manifests/${tag}`;
  const response = await fetch(url, {
    method: "HEAD",
    headers: { accept: manifestType },
    signal: AbortSignal.timeout(answerTimeout),
  }).catch((error: Error) => {
    throw new Error(
      `registry ${registry} does not respond for ${reference} (${error.cause ?? error.message}).`,
    );
  });
  if (response.status === 404) {
    return undefined;
  }
  if (!response.ok) {
    throw new Error(`${url}: HTTP ${response.status}.`);
  }
  return response.headers.get("docker-content-digest") ?? undefined;
}

/** Copies the image of an OCI layout to a plain-HTTP registry, byte for byte. */
export async function pushLayout(
  folder: string,
  registry: string,
  reference: string,
): Promise<void> {
  const target = `docker://${registry}/${reference}`;
  const flags = ["--quiet", "--preserve-digests", "--dest-tls-verify=false"];
  const { exitCode, stderr } = await x("skopeo", ["copy", ...flags, `oci:${folder}`, target]);
  if (exitCode !== 0) {
    throw new Error(`${target}: push failed: ${stderr.trim()}`);
  }
}
