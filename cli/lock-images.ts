import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { neededImages } from "../components/config/checks";
import { CATALOGUE } from "../components/images/catalogue";
import { type ImageLock, mirrored } from "../components/images/source";
import { platformSchema } from "../components/platform/schema";
import { teamSchema } from "../components/team/schema";
import type { Report } from "../toolchain";
import { digestOf } from "./registry";
import { ROOT, stackConfig } from "./stack";
import { fail, step } from "./terminal";

/**
 * Asks the registry that a stack takes third-party images from for their digests, and writes them into the stack's lock
 * file, beside those that are there.
 * @param force asks also for those that the file has
 * @throws Error naming the image and what the registry answered; the file is left as it was
 */
export async function lockImages(stack: string, report: Report, force = false): Promise<void> {
  const { platform, team, images } = stackConfig(stack);
  const { mirror, lock = "images.lock.json" } = images ?? {};
  const file = resolve(ROOT, lock);
  const known: ImageLock = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const needed = neededImages({
    platform: platformSchema.optional().parse(platform),
    team: teamSchema.optional().parse(team),
  }).map((entry) => CATALOGUE[entry]);
  const wanted = needed.filter((upstream) => force || !known[upstream]);
  if (wanted.length === 0) return;
  report(`${lock}: asking ${mirror ?? "the upstream registries"} for ${wanted.length} digest(s)`);
  const digests = await Promise.all(
    wanted.map(async (upstream) => [upstream, await digestOf(mirrored(upstream, mirror))]),
  );
  const all = Object.entries({ ...known, ...Object.fromEntries(digests) }).sort();
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
  report(`${lock}: written`);
}

if (require.main === module) {
  new Command("npm run images:lock --")
    .description(
      "Writes the lock file of the third-party images: their digests, as their registry tells them now.",
    )
    .option("--stack <name>", "whose images.mirror and images.lock apply", "dev")
    .action(({ stack }: { stack: string }) => lockImages(stack, step, true))
    .parseAsync()
    .catch(fail);
}
