import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { vi } from "vitest";

/** A folder with its own cache and PATH, and the reported lines. */
export interface Sandbox {
  readonly folder: string;
  /** The first folder on PATH. */
  readonly bin: string;
  readonly lines: string[];
  report(line: string): void;
  /** Writes an executable script, by default on PATH. */
  script(name: string, text: string, to?: string): string;
  /** Writes a file below the folder, and returns its path. */
  write(path: string, text: string): string;
  /** The lines of a file below the folder; empty if it does not exist. */
  read(path: string): string[];
  remove(): void;
}

/** Creates a sandbox, and sets the cache and PATH to it until the test's stubs are removed. */
export function sandbox(): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), "toolchain-"));
  const bin = join(folder, "bin");
  const lines: string[] = [];
  vi.stubEnv("ML_PLATFORM_CACHE", join(folder, "cache"));
  vi.stubEnv("PATH", `${bin}:/usr/bin:/bin`);
  const write = (path: string, text: string) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const script = (name: string, text: string, to = bin) => {
    const file = join(to, name);
    mkdirSync(to, { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, 0o755);
    return file;
  };
  const read = (path: string) => {
    try {
      return readFileSync(join(folder, path), "utf8").trim().split("\n");
    } catch {
      return [];
    }
  };
  const remove = () => rmSync(folder, { recursive: true });
  const report = (line: string) => void lines.push(line);
  return { folder, bin, lines, report, script, write, read, remove };
}

/**
 * A fake Go: it prints its version, has all dependencies in one folder, and "builds" scripts, or fails on demand.
 */
export const fakeGo = `#!/bin/sh
log=$(dirname "$0")/../go.log
case "$1" in
env) echo go1.26.8; echo linux; echo amd64 ;;
list) echo "$(dirname "$0")/../modules" ;;
build)
  echo "$PWD $*" >> "$log"
  [ -z "$FAKE_GO_FAILS" ] || { echo "undefined: boom" >&2; exit 1; }
  echo begin >> "$log.order"
  sleep "\${FAKE_GO_SECONDS:-0}"
  echo end >> "$log.order"
  while [ "$1" != -o ]; do shift; done
  bin=$2; shift 2
  for package; do printf '#!/bin/sh\\n' > "$bin/$(basename "$package")"; chmod +x "$bin/$(basename "$package")"; done ;;
esac
`;
