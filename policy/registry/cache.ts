import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Sizes by digest, in memory and in a folder, as the content of a digest never changes. Other keys are cached
 * only in the process.
 */
export class SizeCache {
  private readonly running = new Map<string, Promise<number>>();

  constructor(private readonly folder: string) {}

  /** The size of a key. If it is not cached, `make` is called, once for concurrent calls. */
  get(key: string, make: () => Promise<number>): Promise<number> {
    let size = this.running.get(key);
    if (size === undefined) {
      size = DIGEST.test(key) ? this.fromFile(key, make) : make();
      this.running.set(key, size);
    }
    return size;
  }

  private async fromFile(digest: string, make: () => Promise<number>): Promise<number> {
    const file = join(this.folder, digest.replace(":", "-"));
    const stored = Number(await readFile(file, "utf8").catch(() => Number.NaN));
    if (stored > 0) {
      return stored;
    }
    const size = await make();
    await this.write(file, size).catch(() => undefined);
    return size;
  }

  /** Writes the file atomically, as previews may run at the same time. A failure only costs time. */
  private async write(file: string, size: number): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, `${size}`);
    await rename(draft, file);
  }
}

const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");

/** The cache of this machine. */
export const sizeCache = new SizeCache(join(caches, "ml-platform", "image-sizes"));
