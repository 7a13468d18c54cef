import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { neededImages } from "../../components/config/checks";
import { CATALOGUE } from "../../components/images/catalogue";
import { upstreamImage } from "../../components/images/schema";
import { type ImageLock, mirrored } from "../../components/images/source";
import type { Report } from "../../toolchain";
import { ROOT } from "../common/root";
import { stackConfig } from "../stack/file";
import { digestOf } from "./registry";

interface LockOptions {
  /** Asks also for the digests that the file has. */
  readonly force?: boolean;
  /** Images that no configuration names, such as those of a chart. */
  readonly images?: readonly string[];
}

/**
 * Asks the registry that a stack takes third-party images from for their digests, and writes them into the stack's lock
 * file, beside those that are there.
 * @throws Error naming the image and what the registry answered; the file is left as it was
 */
export async function lockImages(
  stack: string,
  report: Report,
  { force = false, images: others = [] }: LockOptions = {},
): Promise<void> {
  const { platform, team, images } = stackConfig(stack);
  const { mirror, lock } = images;
  const file = resolve(ROOT, lock);
  const known = existsSync(file) ? readLock(file) : {};
  const configured = neededImages({ platform, team }).map((entry) => CATALOGUE[entry]);
  const needed = [...new Set([...configured, ...others.map(checked)])];
  const wanted = needed.filter((upstream) => force || !known[upstream]);
  if (wanted.length === 0) {
    return;
  }
  report(`${lock}: asking ${mirror ?? "the upstream registries"} for ${wanted.length} digest(s)`);
  const digests = await Promise.all(
    wanted.map(async (upstream) => [upstream, await digestOf(mirrored(upstream, mirror))]),
  );
  const all = Object.entries({ ...known, ...Object.fromEntries(digests) }).sort();
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
  report(`${lock}: written`);
}

function checked(image: string): string {
  const { error } = upstreamImage.safeParse(image);
  if (error) {
    throw new Error(`--image ${image}: ${error.issues[0]?.message}`);
  }
  return image;
}

function readLock(file: string): ImageLock {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(
      `${file} cannot be read (${(error as Error).message}); correct it, or delete it to have it written again`,
    );
  }
}
