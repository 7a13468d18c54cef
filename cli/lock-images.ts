import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { CATALOGUE, mirrored } from "../components/images";
import { digestOf } from "./registry";
import { type Report, ROOT, stackConfig } from "./stack";
import { fail, step } from "./terminal";

/**
 * Asks the registry that a stack takes third-party images from for their digests, and writes the stack's lock file.
 * @param force asks again although the file is there
 * @throws Error naming the image and what the registry answered; the file is left as it was
 */
export async function lockImages(stack: string, report: Report, force = false): Promise<void> {
  const { mirror, lock = "images.lock.json" } = stackConfig(stack).images ?? {};
  const file = join(ROOT, lock);
  if (existsSync(file) && !force) return;
  report(`${lock}: asking ${mirror ?? "the upstream registries"} for digests`);
  const entries = await Promise.all(
    Object.values(CATALOGUE).map(async (upstream) => [
      upstream,
      await digestOf(mirrored(upstream, mirror)),
    ]),
  );
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(entries.sort()), null, 2)}\n`);
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
