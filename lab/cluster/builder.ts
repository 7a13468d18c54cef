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
