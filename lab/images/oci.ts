import { spawn } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { TarCommand } from "./layer";
import type { RunConfig } from "./recipes";

/** A reference to content in an OCI manifest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A packed layer: its blob, and the digest of the archive inside. */
export interface Layer extends Descriptor {
  readonly diffId: string;
}

const media = "application/vnd.oci.image";

/** The manifest's media type. */
export const manifestType = `${media}.manifest.v1+json`;

/** The fastest level: a layer is pushed to a registry on the same machine, where time matters more than size. */
const GZIP_LEVEL = 1;

/** The time of everything in an image, so that equal content has an equal digest. */
const created = "1970-01-01T00:00:00Z";

function digestOf(hash: Hash): string {
  return `sha256:${hash.digest("hex")}`;
}

/** The architecture of this machine, with the name that Go and OCI use. */
function architecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

/** The image config of a one-layer image. */
export function imageConfig(config: RunConfig, layer: Layer): object {
  return {
    created,
    architecture: architecture(),
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: [layer.diffId] },
    history: [{ created, created_by: "ml-platform lab" }],
  };
}

/** The manifest of a one-layer image. */
export function imageManifest(config: Descriptor, layer: Layer): object {
  const { mediaType, digest, size } = layer;
  return {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers: [{ mediaType, digest, size }],
  };
}

/** A transform stream that hashes its data. */
function tap(hash: Hash): Transform {
  return new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

function blobs(folder: string): string {
  return join(folder, "blobs", "sha256");
}

/** Runs the command and stores its archive as a gzip blob. */
async function packLayer(tar: TarCommand, folder: string): Promise<Layer> {
  const packer = spawn(tar.command, [...tar.args], {
    env: { ...process.env, ...tar.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: Buffer[] = [];
  packer.stderr.on("data", (data: Buffer) => errors.push(data));
  const [plain, packed] = [createHash("sha256"), createHash("sha256")];
  const partial = join(folder, "layer.partial");
  const stages = [
    tap(plain),
    createGzip({ level: GZIP_LEVEL }),
    tap(packed),
    createWriteStream(partial),
  ] as const;
  const stored = pipeline(packer.stdout, ...stages);
  // Waits for both, so that nothing is written after one of them has failed.
  const [ended, written] = await Promise.allSettled([once(packer, "close"), stored]);
  if (ended.status === "rejected") {
    throw ended.reason;
  }
  if (written.status === "rejected") {
    throw written.reason;
  }
  const [code] = ended.value;
  if (code !== 0) {
    const tail = Buffer.concat(errors).toString().trim().split("\n").slice(-10).join("\n");
    throw new Error(`${[tar.command, ...tar.args].join(" ")} failed (exit ${code}):\n${tail}`);
  }
  const digest = digestOf(packed);
  const size = statSync(partial).size;
  renameSync(partial, join(blobs(folder), digest.slice("sha256:".length)));
  return { mediaType: `${media}.layer.v1.tar+gzip`, digest, size, diffId: digestOf(plain) };
}

function writeJsonBlob(folder: string, mediaType: string, content: object): Descriptor {
  const text = JSON.stringify(content);
  const digest = digestOf(createHash("sha256").update(text));
  writeFileSync(join(blobs(folder), digest.slice("sha256:".length)), text);
  return { mediaType, digest, size: Buffer.byteLength(text) };
}

/**
 * Writes a one-layer image as an OCI image layout into the empty `folder`.
 *
 * @returns the descriptor of its manifest, and the bytes that a pull transfers.
 */
export async function writeLayout(
  folder: string,
  tar: TarCommand,
  config: RunConfig,
): Promise<Descriptor> {
  mkdirSync(blobs(folder), { recursive: true });
  const layer = await packLayer(tar, folder);
  const configBlob = writeJsonBlob(folder, `${media}.config.v1+json`, imageConfig(config, layer));
  const manifest = writeJsonBlob(folder, manifestType, imageManifest(configBlob, layer));
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const index = { schemaVersion: 2, manifests: [manifest] };
  writeFileSync(join(folder, "index.json"), JSON.stringify(index));
  return manifest;
}
