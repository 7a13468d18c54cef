import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ToolName } from "../tools";
import type { DebianLayer, FilesLayer } from "./recipes";

/** A command whose standard output is a layer as a tar archive. */
export interface TarCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Documentation and translations, which a container does not need (licenses stay). */
const excluded = ["doc", "info", "lintian", "locale", "man"];

/**
 * A Debian system by mmdebstrap, which writes the same bytes for the same packages if an epoch is
 * set. Its mounts are in a namespace of their own, so that a killed run leaves none.
 */
export function debianCommand(layer: DebianLayer): TarCommand {
  return {
    command: "unshare",
    args: [
      "--mount",
      "mmdebstrap",
      "--quiet",
      "--mode=root",
      "--variant=minbase",
      "--format=tar",
      `--include=${layer.packages.join(",")}`,
      ...excluded.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
      "--dpkgopt=path-include=/usr/share/doc/*/copyright",
      ...layer.finish.map((line) => `--customize-hook=${line}`),
      layer.suite,
      "-",
    ],
    // Bytecode contains sets in the order of their hashes.
    env: { SOURCE_DATE_EPOCH: "0", PYTHONHASHSEED: "0" },
  };
}

/**
 * Puts the files of a layer into the empty folder `stage`, as links to existing files, and returns
 * the command that packs them with fixed modes, times, owners and order.
 */
export function stageFiles(
  layer: FilesLayer,
  tools: ReadonlyMap<ToolName, string>,
  stage: string,
): TarCommand {
  for (const path of layer.folders ?? []) {
    mkdirSync(join(stage, path), { recursive: true });
  }
  for (const [path, file] of Object.entries(layer.files)) {
    const place = join(stage, path);
    mkdirSync(dirname(place), { recursive: true });
    if ("text" in file) {
      writeFileSync(place, file.text);
    } else {
      symlinkSync("host" in file ? file.host : toolPath(tools, file.tool), place);
    }
  }
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  const fixed = ["--sort=name", "--mtime=@0", "--mode=u+rw,go-w,a+rX", ...owner];
  const args = ["--create", "--dereference", "--format=gnu", ...fixed, "--directory", stage, "."];
  return { command: "tar", args };
}

function toolPath(tools: ReadonlyMap<ToolName, string>, name: ToolName): string {
  const path = tools.get(name);
  if (!path) {
    throw new Error(`image layer: there is no tool ${name}.`);
  }
  return path;
}
