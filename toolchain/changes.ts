import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { x } from "tinyexec";
import { go } from "./go-command";
import type { GoModule, Patch } from "./pin";

/** The folder of a dependency's source, which is downloaded and verified with `go.sum`. */
async function sourceOf(folder: string, module: string): Promise<string> {
  await go(folder, ["mod", "download", module]);
  return go(folder, ["list", "-m", "-f", "{{.Dir}}", module]);
}

/**
 * Makes files of dependencies available in the module's folder.
 * @returns flags of `go build` and `go list`
 */
export async function overlayFlags(
  { folder, embeds = [] }: GoModule,
  stage: string,
): Promise<string[]> {
  if (embeds.length === 0) {
    return [];
  }
  const replace: Record<string, string> = {};
  for (const { module, path, file } of embeds) {
    replace[join(folder, file)] = join(await sourceOf(folder, module), path);
  }
  const overlay = join(stage, "overlay.json");
  writeFileSync(overlay, JSON.stringify({ Replace: replace }));
  return ["-overlay", overlay];
}

/** Replaces a file, or all Go files of a package, with another file. */
function replaceFiles(source: string, place: string): void {
  const single = place.endsWith(".go");
  const old = single ? [] : readdirSync(place).filter((name) => name.endsWith(".go"));
  for (const name of old) {
    rmSync(join(place, name));
  }
  copyFileSync(source, single ? place : join(place, "patched.go"));
}

/** Replaces texts in a file, each of which must occur once. */
function replaceTexts(file: string, changes: readonly (readonly [string, string])[]): void {
  let text = readFileSync(file, "utf8");
  for (const [from, to] of changes) {
    const parts = text.split(from);
    if (parts.length !== 2) {
      throw new Error(`${file}: ${JSON.stringify(from)} does not occur once.`);
    }
    text = parts.join(to);
  }
  writeFileSync(file, text);
}

/**
 * Copies a dependency with its changes, as overlays cannot change Go's module cache.
 * @returns flags of `go mod edit` that replace all versions of the module with the copy
 */
async function patchedCopy(
  folder: string,
  module: string,
  patches: readonly Patch[],
  stage: string,
): Promise<string> {
  const copy = join(stage, "patched", module);
  cpSync(await sourceOf(folder, module), copy, { recursive: true });
  await x("chmod", ["-R", "u+w", copy]);
  for (const patch of patches) {
    const place = join(copy, patch.path);
    if (typeof patch.with === "string") {
      replaceFiles(join(folder, patch.with), place);
    } else {
      replaceTexts(place, patch.with);
    }
  }
  return `-replace=${module}=${copy}`;
}

/**
 * Writes another `go.mod`, in which patched copies replace their modules.
 * @returns flags of `go build` and `go list`
 */
export async function modfileFlags(
  { folder, patches = [] }: GoModule,
  stage: string,
): Promise<string[]> {
  if (patches.length === 0) {
    return ["-mod=readonly"];
  }
  const modfile = join(stage, "go.mod");
  for (const name of ["go.mod", "go.sum"]) {
    copyFileSync(join(folder, name), join(stage, name));
  }
  for (const [module, changes] of Map.groupBy(patches, (patch) => patch.module)) {
    await go(folder, ["mod", "edit", await patchedCopy(folder, module, changes, stage), modfile]);
  }
  return ["-mod=readonly", "-modfile", modfile];
}
