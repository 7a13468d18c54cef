import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { x } from "tinyexec";
import type { GoModule, GoPin, Patch } from "./pin";

/**
 * Static binaries that run in an empty image, and no workspace of the user's around the module.
 * Nothing here touches the checksum database: every module is verified as Go does by default.
 */
const goEnvironment = { CGO_ENABLED: "0", GOWORK: "off" };

async function go(folder: string, args: readonly string[]): Promise<string> {
  const run = x("go", [...args], { nodeOptions: { cwd: folder, env: goEnvironment } });
  const { exitCode, stdout, stderr } = await run.then(
    (output) => output,
    (error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? new Error(missingGo("Go is not on PATH")) : error;
    },
  );
  if (exitCode === 0) return stdout.trim();
  if (/requires go >=/.test(stderr)) throw new Error(missingGo(stderr.trim()));
  const tail = stderr.trim().split("\n").slice(-15).join("\n");
  throw new Error(`${folder}: "go ${args[0]}" failed (exit ${exitCode}):\n${tail}`);
}

function missingGo(reason: string): string {
  return `${reason}. Install Go 1.26 or newer (https://go.dev/doc/install) and put it on PATH.`;
}

/** The Go toolchain that builds in a folder: version and target, as `go1.26.8 linux amd64`. */
export async function goToolchain(folder: string): Promise<string> {
  const answer = await go(folder, ["env", "GOVERSION", "GOOS", "GOARCH"]);
  return answer.split("\n").join(" ");
}

/** Every file below a folder, as relative path and content, in a fixed order. */
function filesBelow(folder: string, prefix = ""): [string, Buffer][] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry): [string, Buffer][] => {
      const path = join(prefix, entry.name);
      if (entry.isDirectory()) return filesBelow(folder, path);
      return [[path, readFileSync(join(folder, path))]];
    });
}

/**
 * Hash of everything that determines a binary: the toolchain, what is built and how, and every
 * file of the module's folder (`go.sum` pins the content of all that it depends on).
 */
export function buildHash(pin: GoPin, toolchain: string): string {
  const hash = createHash("sha256");
  const { version, package: target, values, module } = pin;
  const { folder, ...how } = module;
  hash.update(JSON.stringify([toolchain, version, target, values, how, goEnvironment]));
  for (const [path, content] of filesBelow(folder)) {
    hash.update(`\0${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The folder of a dependency's source, downloaded and checked against `go.sum`. */
async function sourceOf(folder: string, module: string): Promise<string> {
  await go(folder, ["mod", "download", module]);
  return go(folder, ["list", "-m", "-f", "{{.Dir}}", module]);
}

/** A file for `go build -overlay` that lets the build see files of dependencies in the module's folder. */
async function overlayFlags({ folder, embeds = [] }: GoModule, stage: string): Promise<string[]> {
  if (embeds.length === 0) return [];
  const replace: Record<string, string> = {};
  for (const { module, path, file } of embeds) {
    replace[join(folder, file)] = join(await sourceOf(folder, module), path);
  }
  const overlay = join(stage, "overlay.json");
  writeFileSync(overlay, JSON.stringify({ Replace: replace }));
  return ["-overlay", overlay];
}

/** Puts a file in the place of another, or of all Go files of a package. */
function replaceFiles(source: string, place: string): void {
  const single = place.endsWith(".go");
  const old = single ? [] : readdirSync(place).filter((name) => name.endsWith(".go"));
  for (const name of old) rmSync(join(place, name));
  copyFileSync(source, single ? place : join(place, "patched.go"));
}

/** Replaces texts in a file, each of which must be there once. */
function replaceTexts(file: string, changes: readonly (readonly [string, string])[]): void {
  let text = readFileSync(file, "utf8");
  for (const [from, to] of changes) {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`${file}: ${JSON.stringify(from)} is not there once.`);
    text = parts.join(to);
  }
  writeFileSync(file, text);
}

/** Copies a dependency with its changes, as Go lets no overlay reach into its module cache. */
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
    if (typeof patch.with === "string") replaceFiles(join(folder, patch.with), place);
    else replaceTexts(place, patch.with);
  }
  return `\nreplace ${module} => ${copy}\n`;
}

/** A `go.mod` beside the folder's own, in which patched copies stand for their modules. */
async function modfileFlags({ folder, patches = [] }: GoModule, stage: string): Promise<string[]> {
  if (patches.length === 0) return ["-mod=readonly"];
  let text = readFileSync(join(folder, "go.mod"), "utf8");
  for (const [module, changes] of Map.groupBy(patches, (patch) => patch.module)) {
    text += await patchedCopy(folder, module, changes, stage);
  }
  const modfile = join(stage, "go.mod");
  writeFileSync(modfile, text);
  cpSync(join(folder, "go.sum"), join(stage, "go.sum"));
  return ["-mod=readonly", "-modfile", modfile];
}

/**
 * Builds packages of one module in one go, so that what they share is compiled once and every core is busy. What an
 * interrupted build has compiled is in Go's own build cache, so that the next one goes on from there.
 *
 * @param stage an empty folder for the build's own files
 * @returns the path of each pin's binary below `stage`, in the pins' order
 */
export async function goBuild(
  module: GoModule,
  pins: readonly GoPin[],
  stage: string,
): Promise<string[]> {
  const bin = join(stage, "bin");
  mkdirSync(bin, { recursive: true });
  const values = [...new Set(pins.flatMap((pin) => pin.values ?? []))];
  const flags = [
    "-buildvcs=false",
    "-trimpath",
    ...(await modfileFlags(module, stage)),
    ...(await overlayFlags(module, stage)),
    ...(module.tags ? ["-tags", module.tags.join(",")] : []),
    ...["-ldflags", ["-s", "-w", ...values.map((value) => `-X ${value}`)].join(" ")],
  ];
  await go(module.folder, ["build", ...flags, "-o", `${bin}/`, ...pins.map((pin) => pin.package)]);
  return pins.map((pin) => join(bin, basename(pin.package)));
}

/** Removes a build's own files, of which Go's are read-only. */
export async function removeStage(stage: string): Promise<void> {
  rmSync(stage, { recursive: true, force: true });
}
