import { existsSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { removeIfEmpty } from "./files";
import type { Lab } from "./identity";
import { attempt, run } from "./shell";

/** Registers the lab's BuildKit with buildx, under the lab's label, where docker-build and `docker buildx` find it. */
export async function registerBuilder(lab: Lab, buildx: string): Promise<void> {
  const endpoint = `unix://${lab.paths.buildkitSocket}`;
  const known = await attempt(buildx, ["inspect", lab.label]);
  if (known.exitCode === 0 && known.stdout.includes(endpoint)) return;
  await removeBuilder(lab, buildx);
  await run(buildx, ["create", "--name", lab.label, "--driver", "remote", endpoint]);
}

/** Forgets the lab's builder; it is no error if there is none. */
export async function removeBuilder(lab: Lab, buildx: string): Promise<void> {
  await attempt(buildx, ["rm", "--force", lab.label]);
}

/** Where buildx keeps its builders, as its documentation says. */
function builderFolder(env = process.env): string {
  return env.BUILDX_CONFIG ?? join(env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "buildx");
}

/** Takes away what buildx keeps besides, if no other builder and no choice of one is left. */
export function removeBuilderFolder(lab: Lab, folder = builderFolder()): void {
  rmSync(join(folder, "activity", lab.label), { force: true });
  for (const name of ["instances", "activity", "defaults"]) removeIfEmpty(join(folder, name));
  const left = existsSync(folder) ? readdirSync(folder) : [];
  if (left.some((name) => name !== ".lock")) return;
  rmSync(folder, { recursive: true, force: true });
  removeIfEmpty(dirname(folder));
}
