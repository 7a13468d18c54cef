import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pRetry from "p-retry";
import { x } from "tinyexec";
import { cacheRoot, duration, type Report, ToolError, which } from "../../toolchain";

/** The packages that dpkg-query does not list as `installed`. */
export function missingPackages(names: readonly string[], answer: string): string[] {
  const installed = new Set(
    answer
      .split("\n")
      .map((line) => line.split(" "))
      .filter(([, status]) => status === "installed")
      .map(([name]) => name),
  );
  return names.filter((name) => !installed.has(name));
}

/** The service units in a list of files, without templates. */
export function serviceUnits(listing: string): string[] {
  const units = [...listing.matchAll(/\/systemd\/system\/([^/@]+\.service)$/gm)];
  return units.flatMap(([, unit]) => unit ?? []);
}

/** Disables the services of packages: they would use the ports of the lab's own processes, now and at boot. */
async function disableServices(names: readonly string[]): Promise<void> {
  if (!existsSync("/run/systemd/system")) {
    return;
  }
  const files = await x("dpkg-query", ["--listfiles", ...names]);
  const units = serviceUnits(files.stdout);
  if (units.length > 0) {
    await x("systemctl", ["disable", "--now", ...units]);
  }
}

/** File with the packages that are being installed, until their services are disabled: the next run finishes an interrupted one. */
const unfinishedFile = () => join(cacheRoot(), "debian-packages-to-finish");

async function finishInstallation(): Promise<void> {
  const file = unfinishedFile();
  if (!existsSync(file) || process.getuid?.() !== 0) {
    return;
  }
  await disableServices(readFileSync(file, "utf8").split("\n").filter(Boolean));
  rmSync(file);
}

/** Retries of apt while another process holds its locks. */
export interface AptRetries {
  readonly retries: number;
  /** In milliseconds. */
  readonly pause: number;
}

/** Ten minutes: a new cloud machine installs upgrades for some minutes after its first boot. */
const usual: AptRetries = { retries: 120, pause: 5_000 };

/** The process that holds a lock of apt, from the output of apt-get: `process 812 (unattended-upgr)`. */
export function lockHolder(stderr: string): string | undefined {
  const refused = /Could not get lock|Unable to lock|Unable to acquire the dpkg/.test(stderr);
  if (!refused) {
    return undefined;
  }
  return /held by (process \d+(?: \([^)]*\))?)/.exec(stderr)?.[1] ?? "another process";
}

const APT_ENVIRONMENT = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };

interface AptResult {
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

/** Runs apt-get when no other process holds its locks. */
async function apt(
  args: readonly string[],
  report: Report,
  { retries, pause }: AptRetries,
): Promise<AptResult> {
  let said = false;
  const attempt = async () => {
    const nodeOptions = { env: APT_ENVIRONMENT };
    const { exitCode, stderr } = await x("apt-get", [...args], { nodeOptions });
    const holder = exitCode === 0 ? undefined : lockHolder(stderr);
    if (!holder) {
      return { exitCode, stderr };
    }
    if (!said) {
      report(`Debian packages: ${holder} is using apt, waiting ...`);
    }
    said = true;
    throw new ToolError(
      `"apt-get ${args[0]}": ${holder} was using apt for ${duration(retries * pause)}. ` +
        `Try again when it has finished.\n${endOf(stderr)}`,
    );
  };
  return pRetry(attempt, { retries, minTimeout: pause, factor: 1 });
}

function endOf(text: string): string {
  return text.trim().split("\n").slice(-10).join("\n");
}

async function install(names: readonly string[], report: Report, limits: AptRetries) {
  // Finishes an installation that was killed: otherwise apt-get refuses another one.
  await x("dpkg", ["--configure", "-a"], { nodeOptions: { env: APT_ENVIRONMENT } });
  const update = await apt(["update"], report, limits);
  const [failure] = update.stderr.match(/^[EW]: .*$/m) ?? [];
  if (update.exitCode !== 0) {
    // If a source does not respond, the other or earlier lists may be enough: the installation shows what is missing.
    report(`Debian packages: "apt-get update" failed (${failure ?? `exit ${update.exitCode}`})`);
  }
  // Without removing installed packages: Debian's containerd would replace Docker's.
  const flags = ["--yes", "--no-install-recommends", "--no-remove"];
  const { exitCode, stderr } = await apt(["install", ...flags, ...names], report, limits);
  if (exitCode === 0) {
    return;
  }
  const before = failure ? `\nBefore that, "apt-get update" failed: ${failure}` : "";
  throw new ToolError(
    `"apt-get install ${names.join(" ")}" failed (exit ${exitCode}):\n${endOf(stderr)}${before}`,
  );
}

/**
 * Installs missing Debian packages, and disables their services.
 *
 * @throws ToolError if apt-get or root is missing or apt-get fails, with the packages and what to do
 */
export async function ensureDebianPackages(
  names: readonly string[],
  report: Report,
  limits: AptRetries = usual,
): Promise<void> {
  if (!which("dpkg-query") || !which("apt-get")) {
    throw new ToolError(
      "This is not Debian or Ubuntu: it has no apt-get. " +
        `Install the content of these packages, or use Debian: ${names.join(", ")}.`,
    );
  }
  // The exit code is 1 if a package is unknown, so only the output is used.
  const format = `\${Package} \${db:Status-Status}\\n`;
  const answer = await x("dpkg-query", ["--show", "--showformat", format, ...names]);
  const missing = missingPackages(names, answer.stdout);
  await finishInstallation();
  if (missing.length === 0) {
    return;
  }
  if (process.getuid?.() !== 0) {
    throw new ToolError(
      `Debian packages are missing. Run: sudo apt-get install ${missing.join(" ")}`,
    );
  }
  report(`Debian packages: installing ${missing.join(", ")} ...`);
  const start = Date.now();
  mkdirSync(cacheRoot(), { recursive: true });
  writeFileSync(unfinishedFile(), missing.join("\n"));
  await install(missing, report, limits).finally(finishInstallation);
  report(`Debian packages: installed in ${duration(Date.now() - start)}`);
}
