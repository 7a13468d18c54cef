import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pRetry from "p-retry";
import { x } from "tinyexec";
import { cacheRoot, duration, type Report, ToolError, which } from "../../toolchain";

/** The names whose line in dpkg-query's answer does not say `installed`. */
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

/** The services among the files of packages, without templates. */
export function serviceUnits(listing: string): string[] {
  const units = [...listing.matchAll(/\/systemd\/system\/([^/@]+\.service)$/gm)];
  return units.flatMap(([, unit]) => unit ?? []);
}

/** A lab starts processes of its own: a package's service would hold its ports, now and at boot. */
async function disableServices(names: readonly string[]): Promise<void> {
  if (!existsSync("/run/systemd/system")) return;
  const files = await x("dpkg-query", ["--listfiles", ...names]);
  const units = serviceUnits(files.stdout);
  if (units.length > 0) await x("systemctl", ["disable", "--now", ...units]);
}

/** Packages that are being installed, until their services are disabled: an interrupted run leaves it to the next. */
const unfinished = () => join(cacheRoot(), "debian-packages-to-finish");

async function finishInstallation(): Promise<void> {
  const file = unfinished();
  if (!existsSync(file) || process.getuid?.() !== 0) return;
  await disableServices(readFileSync(file, "utf8").split("\n").filter(Boolean));
  rmSync(file);
}

/** How often and at what distance apt is tried again while another process holds its locks. */
export interface Patience {
  readonly retries: number;
  /** Unit: milliseconds. */
  readonly pause: number;
}

/** Ten minutes: a fresh cloud machine upgrades itself for some minutes after its first boot. */
const usual: Patience = { retries: 120, pause: 5_000 };

/** Who holds one of apt's locks, by what apt-get says: `process 812 (unattended-upgr)`. */
export function lockHolder(stderr: string): string | undefined {
  const refused = /Could not get lock|Unable to lock|Unable to acquire the dpkg/.test(stderr);
  if (!refused) return undefined;
  return /held by (process \d+(?: \([^)]*\))?)/.exec(stderr)?.[1] ?? "another process";
}

const APT_ENVIRONMENT = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };

interface AptResult {
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

/** Runs apt-get as soon as no other process holds its locks. */
async function apt(
  args: readonly string[],
  report: Report,
  { retries, pause }: Patience,
): Promise<AptResult> {
  let said = false;
  const attempt = async () => {
    const nodeOptions = { env: APT_ENVIRONMENT };
    const { exitCode, stderr } = await x("apt-get", [...args], { nodeOptions });
    const holder = exitCode === 0 ? undefined : lockHolder(stderr);
    if (!holder) return { exitCode, stderr };
    if (!said) report(`Debian packages: ${holder} is using apt, waiting ...`);
    said = true;
    throw new ToolError(
      `"apt-get ${args[0]}": ${holder} was using apt for ${duration(retries * pause)}. ` +
        `Try again when it has ended.\n${endOf(stderr)}`,
    );
  };
  return pRetry(attempt, { retries, minTimeout: pause, factor: 1 });
}

function endOf(text: string): string {
  return text.trim().split("\n").slice(-10).join("\n");
}

async function install(names: readonly string[], report: Report, patience: Patience) {
  // What an installation that was killed has left half done, without which apt-get refuses any other.
  await x("dpkg", ["--configure", "-a"], { nodeOptions: { env: APT_ENVIRONMENT } });
  const update = await apt(["update"], report, patience);
  const [failure] = update.stderr.match(/^[EW]: .*$/m) ?? [];
  if (update.exitCode !== 0) {
    // Where some source does not answer, the others or earlier lists may do: the install tells what it lacks.
    report(`Debian packages: "apt-get update" failed (${failure ?? `exit ${update.exitCode}`})`);
  }
  // Never at the cost of what is there: Debian's containerd would take Docker's away.
  const flags = ["--yes", "--no-install-recommends", "--no-remove"];
  const { exitCode, stderr } = await apt(["install", ...flags, ...names], report, patience);
  if (exitCode === 0) return;
  const before = failure ? `\nBefore that, "apt-get update" said: ${failure}` : "";
  throw new ToolError(
    `"apt-get install ${names.join(" ")}" failed (exit ${exitCode}):\n${endOf(stderr)}${before}`,
  );
}

/**
 * Installs the Debian packages that dpkg lacks, and disables the services that they bring.
 *
 * @throws ToolError where apt-get or root is missing or apt-get fails, with the packages and what to do
 */
export async function ensureDebianPackages(
  names: readonly string[],
  report: Report,
  patience: Patience = usual,
): Promise<void> {
  if (!which("dpkg-query") || !which("apt-get")) {
    throw new ToolError(
      "This is no Debian or Ubuntu: it has no apt-get. " +
        `Install what these packages hold, or use a Debian: ${names.join(", ")}.`,
    );
  }
  // The exit code is 1 where one of them is unknown: the answer counts, not the code.
  const format = `\${Package} \${db:Status-Status}\\n`;
  const answer = await x("dpkg-query", ["--show", "--showformat", format, ...names]);
  const missing = missingPackages(names, answer.stdout);
  await finishInstallation();
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new ToolError(
      `Debian packages are missing. Run: sudo apt-get install ${missing.join(" ")}`,
    );
  }
  report(`Debian packages: installing ${missing.join(", ")} ...`);
  const start = Date.now();
  mkdirSync(cacheRoot(), { recursive: true });
  writeFileSync(unfinished(), missing.join("\n"));
  await install(missing, report, patience).finally(finishInstallation);
  report(`Debian packages: installed in ${duration(Date.now() - start)}`);
}
