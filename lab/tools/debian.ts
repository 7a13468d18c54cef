import { existsSync } from "node:fs";
import { x } from "tinyexec";
import { duration, type Report, which } from "../../toolchain";

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

/** Another installation of the machine (a first boot's, say) is waited for, for these seconds. */
const AWAIT_LOCK = ["--option", "DPkg::Lock::Timeout=300"];

async function install(names: readonly string[]): Promise<void> {
  const nodeOptions = { env: { DEBIAN_FRONTEND: "noninteractive" } };
  // What an installation that was killed has left half done, without which apt-get refuses any other.
  await x("dpkg", ["--configure", "-a"], { nodeOptions });
  // Where some source does not answer, the others may do: the install tells what it lacks.
  await x("apt-get", ["update"], { nodeOptions });
  // Never at the cost of what is there: Debian's containerd would take Docker's away.
  const flags = ["--yes", "--no-install-recommends", "--no-remove", ...AWAIT_LOCK];
  const { exitCode, stderr } = await x("apt-get", ["install", ...flags, ...names], { nodeOptions });
  if (exitCode !== 0) {
    const tail = stderr.trim().split("\n").slice(-10).join("\n");
    throw new Error(`"apt-get install ${names.join(" ")}" failed (exit ${exitCode}):\n${tail}`);
  }
}

/**
 * Installs the Debian packages that dpkg lacks, and disables the services that they bring.
 *
 * @throws where apt-get or root is missing: the message names the packages to install.
 */
export async function ensureDebianPackages(
  names: readonly string[],
  report: Report,
): Promise<void> {
  if (!which("dpkg-query") || !which("apt-get")) {
    throw new Error(`This is no Debian. Install what these packages hold: ${names.join(", ")}.`);
  }
  // The exit code is 1 where one of them is unknown: the answer counts, not the code.
  const format = `\${Package} \${db:Status-Status}\\n`;
  const answer = await x("dpkg-query", ["--show", "--showformat", format, ...names]);
  const missing = missingPackages(names, answer.stdout);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(`Debian packages are missing. Run: sudo apt-get install ${missing.join(" ")}`);
  }
  report(`Debian packages: installing ${missing.join(", ")} ...`);
  const start = Date.now();
  await install(missing);
  await disableServices(missing);
  report(`Debian packages: installed in ${duration(Date.now() - start)}`);
}
