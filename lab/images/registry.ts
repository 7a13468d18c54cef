import { x } from "tinyexec";
import { manifestType } from "./oci";

/** Time that a registry on this machine gets to answer, in milliseconds; its caller tries again. */
const answerTimeout = 60_000;

/** The parts of `path/to/name:tag`. */
export function splitReference(reference: string): { repository: string; tag: string } {
  const at = reference.lastIndexOf(":");
  if (at <= reference.lastIndexOf("/")) throw new Error(`${reference}: an image without a tag.`);
  return { repository: reference.slice(0, at), tag: reference.slice(at + 1) };
}

/**
 * The digest that a plain-HTTP registry has for a reference, or undefined where it has none.
 *
 * @throws where the registry does not answer, or answers with anything but yes and no.
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
      `registry ${registry} does not answer for ${reference} (${error.cause ?? error.message}).`,
    );
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}.`);
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
  if (exitCode !== 0) throw new Error(`${target}: push failed: ${stderr.trim()}`);
}
