import { readFileSync } from "node:fs";
import type { ImagesConfig } from "./schema";

/** Every third-party image that the platform runs or builds upon, with its version. */
export const CATALOGUE = {
  prometheus: "quay.io/prometheus/prometheus:v3.16.0",
  metricsAdapter: "registry.k8s.io/prometheus-adapter/prometheus-adapter:v0.12.0",
  devicePlugin: "nvcr.io/nvidia/k8s-device-plugin:v0.18.0",
  python: "docker.io/library/python:3.13-slim",
} as const;

export type CatalogueEntry = keyof typeof CATALOGUE;

/** Digests (`sha256:...`) by upstream reference, as one registry gave them. */
export type ImageLock = Readonly<Record<string, string>>;

/** Finds the catalogue's images where the stack takes them from, always by digest. */
export class ImageSource {
  constructor(
    private readonly lock: ImageLock,
    private readonly mirror: string | undefined,
  ) {}

  /**
   * The images that a stack's configuration names, with the digests of its lock file.
   * @throws Error when the lock file cannot be read
   */
  static load({ lock, mirror }: Pick<ImagesConfig, "mirror" | "lock">): ImageSource {
    return new ImageSource(JSON.parse(readFileSync(lock, "utf8")) as ImageLock, mirror);
  }

  /** Whether the lock has the entry's digest. */
  has(entry: CatalogueEntry): boolean {
    return /^sha256:[a-f0-9]{64}$/.test(this.lock[CATALOGUE[entry]] ?? "");
  }

  /**
   * A catalogue image as `registry/repository:tag@sha256:...`.
   * @throws Error when the lock has no digest for it
   */
  reference(entry: CatalogueEntry): string {
    const upstream = CATALOGUE[entry];
    if (!this.has(entry)) throw new Error(`the image lock has no digest for ${upstream}`);
    return `${mirrored(upstream, this.mirror)}@${this.lock[upstream]}`;
  }
}

/** The reference at a mirror that holds images under their full upstream names. */
export function mirrored(upstream: string, mirror: string | undefined): string {
  return mirror ? `${mirror}/${upstream}` : upstream;
}
