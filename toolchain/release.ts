import { createHash } from "node:crypto";
import { chmodSync, closeSync, mkdirSync, openSync, readSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { x } from "tinyexec";
import { cacheRoot, duration, namesOf, type Report, withLock } from "./cache";
import { type Downloader, sha256Of } from "./download";
import { ToolError } from "./error";
import { isExecutable } from "./on-path";
import type { Architecture, GoPin } from "./pin";

/** A release with version and architecture filled in. */
export interface Resolved {
  readonly url: string;
  readonly checksums: string;
  readonly member?: string;
  /** The pinned checksum. */
  readonly pinned?: string;
  readonly static: boolean;
}

/** The architecture of this machine; undefined if there are no releases for it. */
function architecture(): Architecture | undefined {
  if (process.platform !== "linux") {
    return undefined;
  }
  return ({ x64: "amd64", arm64: "arm64" } as const)[process.arch as string];
}

/** The release of a tool for this machine; undefined if there is none. */
export function resolveRelease(
  { release, version }: Pick<GoPin, "release" | "version">,
  arch = architecture(),
): Resolved | undefined {
  if (!release || !arch) {
    return undefined;
  }
  const fill = (text: string) => text.replaceAll("{version}", version).replaceAll("{arch}", arch);
  return {
    url: fill(release.url),
    checksums: fill(release.checksums),
    ...(release.member && { member: fill(release.member) }),
    ...(release.sha256?.[arch] && { pinned: release.sha256[arch] }),
    static: release.static ?? false,
  };
}

/** Path of a release's executable in the cache, even if it does not exist. */
export function releasedPath(name: string, pin: GoPin): string | undefined {
  const resolved = resolveRelease(pin);
  if (!resolved) {
    return undefined;
  }
  const hash = createHash("sha256").update(JSON.stringify(resolved)).digest("hex").slice(0, 16);
  return join(cacheRoot(), "tools", name, `${pin.version}-release-${hash}`, name);
}

/** The SHA-256 of a file in a checksum file: only the checksum, or lines of `sum  name` or `sum *name`. */
export function findChecksum(text: string, file: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+\*?/));
  const sums = lines.filter(([sum = ""]) => /^[0-9a-f]{64}$/i.test(sum));
  const named = sums.find(([, name]) => name && basename(name) === file);
  const bare = sums.length === 1 ? sums.find((words) => words.length === 1) : undefined;
  return (named ?? bare)?.[0]?.toLowerCase();
}

/** Whether a 64-bit ELF executable is statically linked, so that it runs in an empty image. */
export function isStatic(file: string): boolean {
  const fd = openSync(file, "r");
  try {
    const read = (length: number, position: number) => {
      const buffer = Buffer.alloc(length);
      readSync(fd, buffer, 0, length, position);
      return buffer;
    };
    const head = read(64, 0);
    if (head.toString("latin1", 0, 5) !== "\x7fELF\x02") {
      return false;
    }
    const [start, size, count] = [
      Number(head.readBigUInt64LE(32)),
      head.readUInt16LE(54),
      head.readUInt16LE(56),
    ];
    const segments = read(size * count, start);
    const kinds = Array.from({ length: count }, (_, at) => segments.readUInt32LE(at * size));
    const loader = 3;
    return count > 0 && !kinds.includes(loader);
  } finally {
    closeSync(fd);
  }
}

function wrongSum(url: string, expected: string, found: string, by: string): ToolError {
  return new ToolError(
    `${url}: wrong checksum.\n  expected ${expected} (${by})\n  found    ${found}\n` +
      "The download is not used. Try again; if the error remains, find out what modifies downloads to this machine," +
      " or set ML_PLATFORM_BUILD=1 to build all tools from their Go modules.",
  );
}

/**
 * The checksum that a download must have: the published one, which must be equal to a pinned one.
 * @throws ToolError if they differ
 */
async function expectedSum(resolved: Resolved, download: Downloader): Promise<string> {
  const { url, checksums, pinned } = resolved;
  const published = findChecksum(await download.text(checksums), basename(url));
  if (!published) {
    throw new Error(`${checksums}: no sha256 of ${basename(url)}`);
  }
  if (pinned && pinned !== published) {
    throw wrongSum(url, pinned, published, `pinned in this repository; found in ${checksums}`);
  }
  return published;
}

async function extract(archive: string, member: string, folder: string): Promise<string> {
  const args = ["--extract", "--gzip", "--file", archive, "--directory", folder, member];
  const { exitCode, stderr } = await x("tar", args);
  if (exitCode !== 0) {
    throw new Error(`the archive has no ${member} (${stderr.trim().split("\n")[0]})`);
  }
  return join(folder, member);
}

/** Moves a release's executable to the cache when it is complete and verified. */
async function fetchRelease(resolved: Resolved, file: string, download: Downloader): Promise<void> {
  const { url, member } = resolved;
  const stage = `${dirname(file)}.partial`;
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  try {
    const expected = await expectedSum(resolved, download);
    const archive = join(stage, "download");
    await download.file(url, archive);
    const found = await sha256Of(archive);
    if (found !== expected) {
      throw wrongSum(url, expected, found, resolved.checksums);
    }
    const executable = member ? await extract(archive, member, stage) : archive;
    if (resolved.static && !isStatic(executable)) {
      throw new Error(`${url}: not statically linked, so that it does not run in an empty image`);
    }
    chmodSync(executable, 0o755);
    mkdirSync(dirname(file), { recursive: true });
    renameSync(executable, file);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** A tool whose release may have an executable for this machine. */
export interface Wanted {
  readonly name: string;
  readonly pin: GoPin;
}

/**
 * Downloads the executables of releases: from several sites at a time, one file after the other from each.
 *
 * @returns the tools that must be built instead, each with the reason
 * @throws ToolError if a checksum is wrong
 */
export async function fetchReleases(
  wanted: readonly Wanted[],
  download: Downloader,
  report: Report,
): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  const bySite = Map.groupBy(wanted, ({ pin }) => new URL(resolveRelease(pin)?.url ?? "").origin);
  const sites = [...bySite].map(async ([site, tools]) => {
    report(`${namesOf(tools)}: downloading from ${site} ...`);
    for (const { name, pin } of tools) {
      await fetchOne(name, pin, download, report).catch((error: unknown) => {
        if (error instanceof ToolError) {
          throw error;
        }
        failures.set(name, error instanceof Error ? error.message : String(error));
      });
    }
  });
  const ends = await Promise.allSettled(sites);
  const wrong = ends.find((end) => end.status === "rejected");
  if (wrong) {
    throw wrong.reason;
  }
  return failures;
}

async function fetchOne(name: string, pin: GoPin, download: Downloader, report: Report) {
  const resolved = resolveRelease(pin);
  const file = releasedPath(name, pin);
  if (!resolved || !file) {
    throw new Error("no release for this machine");
  }
  const label = `${name} ${pin.version}`;
  const onWait = () => report(`${label}: another process is downloading it, waiting ...`);
  await withLock(`${dirname(file)}.lock`, onWait, async () => {
    if (isExecutable(file)) {
      return;
    }
    const start = Date.now();
    await fetchRelease(resolved, file, download);
    report(`${label}: downloaded in ${duration(Date.now() - start)}`);
  });
}
