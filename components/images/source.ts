import { readFileSync } from "node:fs";
import { CATALOGUE, type CatalogueEntry } from "./catalogue";

/** Digests (`sha256:...`) by upstream reference, as one registry gave them. */
export type ImageLock = Readonly<Record<string, string>>;

/** Third-party images, at a mirror or upstream, always by digest. */
export class ImageSource {
  constructor(
    private readonly lock: ImageLock,
    private readonly mirror?: string | undefined,
  ) {}

  /**
   * Reads the digests from a lock file.
   * @param mirror registry that has copies of the images under their full upstream names. Default: upstream
   * @throws Error when the lock file cannot be read
   */
  static load({ lock, mirror }: { lock: string; mirror?: string | undefined }): ImageSource {
    return new ImageSource(JSON.parse(readFileSync(lock, "utf8")) as ImageLock, mirror);
  }

  /** Whether the lock has the entry's digest. */
  has(entry: CatalogueEntry): boolean {
    return this.hasDigest(CATALOGUE[entry]);
  }

  /** Whether the lock has the digest of an upstream reference. */
  hasDigest(upstream: string): boolean {
    return /^sha256:[a-f0-9]{64}$/.test(this.lock[upstream] ?? "");
  }

  /**
   * A catalogue image as `registry/repository:tag@sha256:...`.
   * @throws Error when the lock has no digest for it
   */
  reference(entry: CatalogueEntry): string {
    return this.byDigest(CATALOGUE[entry]);
  }

  /**
   * An image by its upstream reference, as `registry/repository:tag@sha256:...`.
   * @throws Error when the lock has no digest for it
   */
  byDigest(upstream: string): string {
    if (!this.hasDigest(upstream)) {
      throw new Error(`the image lock has no digest for ${upstream}`);
    }
    return `${mirrored(upstream, this.mirror)}@${this.lock[upstream]}`;
  }
}

/** The reference at a mirror that holds images under their full upstream names. */
export function mirrored(upstream: string, mirror: string | undefined): string {
  return mirror ? `${mirror}/${upstream}` : upstream;
}
