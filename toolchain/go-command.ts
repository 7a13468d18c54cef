import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startGroup } from "./child";
import { ToolError } from "./error";
import { isExecutable, which } from "./on-path";

/**
 * Static binaries that run in an empty image, and no workspace of the user.
 * The checksum database is not changed: every module is verified as by default.
 */
export const goEnvironment = { CGO_ENABLED: "0", GOWORK: "off" };

/** The numbers of a version such as `go1.26.8` or the line `go 1.26` of a `go.mod`; a missing patch version is 0. */
function goVersion(text: string): [number, number, number] | undefined {
  const match = /\bgo ?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

/**
 * Folders of Go that may not be on PATH, which sudo changes: the official folder, those of Debian's packages (newest first),
 * of a copy in the home folder, and of a snap.
 */
function usualFolders(root = "/", home = homedir()): string[] {
  const lib = join(root, "usr/lib");
  const minor = (name: string) => Number(name.split(".")[1]);
  const packaged = (existsSync(lib) ? readdirSync(lib) : [])
    .filter((name) => /^go-1\.\d+$/.test(name))
    .sort((a, b) => minor(b) - minor(a))
    .map((name) => join(lib, name, "bin"));
  const official = join(root, "usr/local/go/bin");
  return [official, ...packaged, join(home, "go/bin"), join(root, "snap/bin")];
}

/** All `go` commands of this machine: that of PATH first, then those of the usual folders. */
export function goCandidates(root?: string, home?: string): string[] {
  const places = usualFolders(root, home).map((folder) => join(folder, "go"));
  const onPath = which("go");
  return [...new Set([...(onPath ? [onPath] : []), ...places.filter(isExecutable)])];
}

/** The Go version in the `go.mod` of a module: `1.26.8`. */
function neededGo(folder: string): string {
  const text = readFileSync(join(folder, "go.mod"), "utf8");
  return /^go (\S+)$/m.exec(text)?.[1] ?? "1.26";
}

function installGo(needed: string, reason: string): ToolError {
  return new ToolError(
    `${reason}. Install Go ${needed} or newer: https://go.dev/doc/install` +
      " (found on PATH, in /usr/local/go, /usr/lib/go-* and ~/go).",
  );
}

const ownVersions = new Map<string, Promise<string>>();

/** The version of a `go` command itself, without a newer toolchain that it could download. */
function ownVersion(command: string): Promise<string> {
  const asked =
    ownVersions.get(command) ??
    run(command, "/", ["env", "GOVERSION"], { GOTOOLCHAIN: "local" }).then(({ stdout }) => stdout);
  ownVersions.set(command, asked);
  return asked;
}

/** Whether a version is at least the required one. */
function reaches(version: string, needed: string): boolean {
  const [has, wants] = [goVersion(version), goVersion(`go${needed}`)];
  if (!has || !wants) {
    return false;
  }
  const differing = has.findIndex((part, index) => part !== wants[index]);
  return differing < 0 || (has[differing] ?? 0) > (wants[differing] ?? 0);
}

/**
 * The first `go` command that is new enough; else the first one, which may download a newer toolchain.
 *
 * @param needed version that the module requires: `1.26.8`
 * @throws ToolError if there is none
 */
export async function chooseGo(needed: string, candidates = goCandidates()): Promise<string> {
  for (const command of candidates) {
    if (reaches(await ownVersion(command), needed)) {
      return command;
    }
  }
  const [first] = candidates;
  if (!first) {
    throw installGo(needed, "Go is not on PATH, nor in a usual folder");
  }
  return first;
}

/** Messages of Go that it is older than a module requires, and has or can download no newer toolchain. */
const tooOld =
  /requires go >=|invalid go version|unknown directive|toolchain not available|golang\.org\/toolchain|download go1\./;

function explain(folder: string, command: string, args: readonly string[], result: GoResult) {
  const { code, signal, stderr } = result;
  const what = `${folder}: "go ${args[0]}"`;
  if (signal) {
    return new ToolError(`${what} was stopped by ${signal}.`);
  }
  const text = stderr.join("\n").trim();
  if (tooOld.test(text)) {
    const reason = text.split("\n").findLast((line) => tooOld.test(line)) ?? text;
    return installGo(neededGo(folder), `${command} is too old: ${reason.trim()}`);
  }
  const tail = text.split("\n").slice(-15).join("\n");
  return new ToolError(`${what} failed (exit ${code}):\n${tail}`);
}

interface GoResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: readonly string[];
}

async function run(
  command: string,
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  isProgress: (line: string) => boolean = () => false,
): Promise<GoResult> {
  const child = startGroup(command, args, { cwd: folder, env: { ...goEnvironment, ...env } });
  const stderr: string[] = [];
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  createInterface(child.stderr).on("line", (line) => {
    if (!isProgress(line)) {
      stderr.push(line);
    }
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, stdout: stdout.trim(), stderr };
}

/**
 * Runs `go` in a module's folder and returns its output.
 *
 * @param isProgress gets each line of the error output, and returns whether it only shows progress
 * @throws ToolError if Go is missing, too old or fails, with what to do or the end of its output
 */
export async function go(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  isProgress?: (line: string) => boolean,
): Promise<string> {
  const command = await chooseGo(neededGo(folder));
  const result = await run(command, folder, args, env, isProgress);
  if (result.code !== 0) {
    throw explain(folder, command, args, result);
  }
  return result.stdout;
}

const toolchains = new Map<string, Promise<string>>();

/** The Go toolchain that builds in a folder: version and target, as `go1.26.8 linux amd64`. Cached per process. */
export async function goToolchain(folder: string): Promise<string> {
  const key = `${await chooseGo(neededGo(folder))} ${folder}`;
  const asked = toolchains.get(key) ?? askToolchain(folder);
  toolchains.set(key, asked);
  asked.catch(() => toolchains.delete(key));
  return asked;
}

async function askToolchain(folder: string): Promise<string> {
  const answer = await go(folder, ["env", "GOVERSION", "GOOS", "GOARCH"]);
  const needed = neededGo(folder);
  // Go before 1.21 has no toolchain selection, and does not fail here.
  if (reaches(answer, needed)) {
    return answer.split("\n").join(" ");
  }
  const command = await chooseGo(needed);
  throw installGo(needed, `${command} is too old: ${answer.split("\n")[0]}`);
}
