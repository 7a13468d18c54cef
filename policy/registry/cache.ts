import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Sizes by digest, in memory and in a folder: a digest names the same bytes for ever. Anything else is
 * remembered for the life of the process.
 */
export class SizeCache {
  private readonly running = new Map<string, Promise<number>>();

  constructor(private readonly folder: string) {}

  /** The size under a key; made where it is not known, once however many ask at the same time. */
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

  /** Whole or not at all: previews run side by side. A folder that can't be written costs time only. */
  private async write(file: string, size: number): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, `${size}`);
    await rename(draft, file);
  }
}

const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");

/** The sizes that this machine knows. */
export const sizeCache = new SizeCache(join(caches, "ml-platform", "image-sizes"));
