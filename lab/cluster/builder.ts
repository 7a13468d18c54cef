import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { removeIfEmpty } from "./files";
import type { Lab } from "./identity";
import { attempt, run } from "./shell";

/** Registers the lab's BuildKit with buildx, under the lab's label, for docker-build and `docker buildx`. */
export async function registerBuilder(lab: Lab, buildx: string): Promise<void> {
  const endpoint = `unix://${lab.paths.buildkitSocket}`;
  const known = await attempt(buildx, ["inspect", lab.label]);
  if (known.exitCode === 0 && known.stdout.includes(endpoint)) {
    return;
  }
  await removeBuilder(lab, buildx);
  await run(buildx, ["create", "--name", lab.label, "--driver", "remote", endpoint]);
}

/** Removes the lab's builder from buildx, if it exists. */
export async function removeBuilder(lab: Lab, buildx: string): Promise<void> {
  await attempt(buildx, ["rm", "--force", lab.label]);
}

/** The folder of buildx's builders, according to its documentation. */
function builderFolder(env = process.env): string {
  return env.BUILDX_CONFIG ?? join(env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "buildx");
}

/** Removes the folder of buildx if it has no other builder and no selected one. */
export function removeBuilderFolder(lab: Lab, folder = builderFolder()): void {
  for (const name of ["activity", "refs"]) {
    rmSync(join(folder, name, lab.label), { recursive: true, force: true });
  }
  const folders = ["instances", "activity", "defaults", "refs"];
  for (const name of folders) {
    removeIfEmpty(join(folder, name));
  }
  const left = existsSync(folder) ? readdirSync(folder) : [];
  if (left.some((name) => ![".lock", "current"].includes(name))) {
    return;
  }
  if (left.includes("current") && selectsBuilder(join(folder, "current"))) {
    return;
  }
  rmSync(folder, { recursive: true, force: true });
  removeIfEmpty(dirname(folder));
}

/** Whether buildx's file of the current builder names one: it names none if Docker is the builder. */
function selectsBuilder(file: string): boolean {
  return (JSON.parse(readFileSync(file, "utf8")) as { Name?: string }).Name !== "";
}
