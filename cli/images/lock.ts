import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { neededImages } from "../../components/config/checks";
import { CATALOGUE } from "../../components/images/catalogue";
import { type ImageLock, mirrored } from "../../components/images/source";
import type { Report } from "../../toolchain";
import { ROOT } from "../common/root";
import { stackConfig } from "../stack/file";
import { digestOf } from "./registry";

/**
 * Asks the registry that a stack takes third-party images from for their digests, and writes them into the stack's lock
 * file, beside those that are there.
 * @param force asks also for those that the file has
 * @throws Error naming the image and what the registry answered; the file is left as it was
 */
export async function lockImages(stack: string, report: Report, force = false): Promise<void> {
  const { platform, team, images } = stackConfig(stack);
  const { mirror, lock } = images;
  const file = resolve(ROOT, lock);
  const known = existsSync(file) ? readLock(file) : {};
  const needed = neededImages({ platform, team }).map((entry) => CATALOGUE[entry]);
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

function readLock(file: string): ImageLock {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(
      `${file} cannot be read (${(error as Error).message}); correct it, or delete it to have it written again`,
    );
  }
}
