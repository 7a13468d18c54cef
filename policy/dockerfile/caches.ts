import type { Instruction } from "./parse";
import { execForm } from "./words";

/** A program with a cache of downloads. */
interface PackageManager {
  readonly install: RegExp;
  /** Text in a command or the environment that disables the cache or removes its files. */
  readonly kept: RegExp;
  /** Cache folders, as targets of a mount. */
  readonly cache: RegExp;
}

const MANAGERS: readonly PackageManager[] = [
  {
    install: /\bpip[\d.]*\s+(\S+\s+){0,20}install\b/,
    kept: /--no-cache-dir|PIP_NO_CACHE_DIR=/,
    cache: /\/\.cache(\/pip)?$/,
  },
  {
    install: /\buv\s+(pip\s+install|sync)\b/,
    kept: /--no-cache\b|UV_NO_CACHE=/,
    cache: /\/\.cache(\/uv)?$/,
  },
  {
    install: /\bapt(-get)?\s+(\S+\s+){0,20}install\b/,
    kept: /rm\s+-\S*r\S*\s+[^&;|]*\/var\/lib\/apt\/lists/,
    cache: /^\/var\/lib\/apt(\/lists)?$/,
  },
  { install: /\bapk\s+(\S+\s+){0,20}add\b/, kept: /--no-cache\b/, cache: /\/apk$/ },
  {
    install: /\b(micro)?(dnf|yum)\s+(\S+\s+){0,20}install\b/,
    kept: /\b(dnf|yum)\s+(\S+\s+){0,20}clean\s+all\b|rm\s+-\S*r\S*\s+[^&;|]*\/var\/cache/,
    cache: /^\/var\/cache(\/(libdnf5|dnf|yum))?$/,
  },
  {
    install: /\b(conda|mamba)\s+(\S+\s+){0,20}install\b/,
    kept: /\b(conda|mamba)\s+clean\b/,
    cache: /\/pkgs$/,
  },
  {
    install: /\bnpm\s+(ci|install)\b/,
    kept: /npm\s+cache\s+clean/,
    cache: /\/\.npm$/,
  },
];

/** Cache mounts of a command, which are not part of the image. */
function cachesOf({ flags }: Instruction): string[] {
  return flags
    .filter((flag) => /^--mount=(.*,)?type=cache(,|$)/.test(flag))
    .flatMap((flag) => /[=,](?:target|dst|destination)=([^,]+)/.exec(flag)?.[1] ?? [])
    .map((target) => target.replace(/\/$/, ""));
}

/**
 * Whether a command leaves the cache of a package manager in its layer.
 * @param environment variables of the command, as `NAME=value`
 */
export function leavesCache(run: Instruction, environment: string): boolean {
  const command = execForm(run.args)?.join(" ") ?? run.args;
  const context = `${command} ${environment}`;
  return MANAGERS.filter(({ install }) => install.test(command)).some(
    ({ kept, cache }) =>
      !kept.test(context) &&
      !cachesOf(run).some((target) => cache.test(target) || context.includes(`=${target}`)),
  );
}
