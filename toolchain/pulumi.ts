import { once } from "node:events";
import { dirname, join } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation";
import { version as sdkVersion } from "@pulumi/pulumi/version";
import { cacheRoot, duration, type Report } from "./cache";
import { endGroup, startGroup } from "./child";
import { downloader } from "./download";
import { ToolError } from "./error";
import { goCandidates } from "./go-command";
import { findOnPath, isExecutable, which } from "./on-path";
import { type PulumiTool, pins } from "./pins";
import { toolbox } from "./toolbox";

/** Pulumi's CLI and plugins. */
export const pulumiTools = toolbox<PulumiTool>(pins);

/** The tools that run the program. */
export interface PulumiTools {
  /** Absolute path of the CLI. */
  readonly command: string;
  /** Folders to put first on PATH: those of the CLI and of its plugins. */
  readonly binDirs: readonly string[];
}

/** Timeout of the download of the official CLI (about 150 MB), in milliseconds. */
const downloadTimeout = 180_000;

/** Replacements for the plugins that come with the official CLI, or that it downloads. */
const replacements = [
  "pulumi",
  "pulumi-resource-kubernetes",
  "pulumi-resource-docker-build",
  "pulumi-resource-pulumi-nodejs",
  "pulumi-resource-kubernetes-cert-manager",
] as const satisfies readonly PulumiTool[];

/** The plugin that runs programs and policy packs; the official CLI includes it. */
const LANGUAGE_HOST = "pulumi-language-nodejs";

/** Whether a CLI has the plugins that it needs: the language host of the official CLI, or a provider that it could not download. */
function isComplete(command: string): boolean {
  const either = [LANGUAGE_HOST, "pulumi-resource-kubernetes"];
  return either.some((name) => isExecutable(join(dirname(command), name)));
}

/**
 * The path of a policy pack for the engine: its folder, or its executable, which the engine starts itself if no language host
 * is on PATH.
 */
export function policyPack(folder: string): string {
  return which(LANGUAGE_HOST) ? folder : join(folder, "run-in-engine");
}

/** URL of the installer. */
const site = "https://get.pulumi.com/install.sh";

/**
 * Installs the official CLI below `root`, or returns the reason of the failure.
 *
 * The installer of the Automation API runs in a process group of its own, so that its shell and download are stopped at the
 * timeout. It would wait minutes for a site that does not respond, so this is checked before.
 */
async function downloadOfficial(root: string): Promise<string | undefined> {
  const silence = await downloader()
    .text(site)
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  if (silence) {
    return silence;
  }
  const script =
    'require("@pulumi/pulumi/automation").PulumiCommand.install({ root: process.argv[1] })' +
    ".catch((error) => { process.stderr.write(String(error.message)); process.exit(1); })";
  const installer = startGroup(process.execPath, ["-e", script, root], {
    cwd: __dirname,
    env: { NODE_USE_ENV_PROXY: "1" },
  });
  installer.stdout.resume();
  let reason = "";
  installer.stderr.on("data", (data) => {
    reason += data;
  });
  const timer = setTimeout(() => {
    reason = `not done after ${duration(downloadTimeout)}`;
    endGroup(installer);
  }, downloadTimeout);
  const [code] = await once(installer, "close").finally(() => clearTimeout(timer));
  return code === 0 ? undefined : reason.trim().replaceAll(/\s+/g, " ").slice(0, 300);
}

async function findOfficial(root: string): Promise<string | undefined> {
  const onPath = await findOnPath("pulumi", pins.pulumi.onPath);
  if (onPath && isComplete(onPath)) {
    return onPath;
  }
  return PulumiCommand.get({ root }).then(
    ({ command }) => command,
    () => undefined,
  );
}

/**
 * Provides a Pulumi CLI and the plugins that the program needs: the official CLI on PATH or of an
 * earlier download; else, if nothing is built yet, a download of it; else one that is built from
 * its Go module, with providers and plugin scripts that replace the official ones.
 *
 * @param download installs the official CLI below a folder, or returns the reason of the failure.
 * @param canBuild whether this machine has a Go that could build it.
 * @throws ToolError if there is none, and none can be installed
 */
export async function ensurePulumi(
  report: Report,
  download = downloadOfficial,
  canBuild = () => goCandidates().length > 0,
): Promise<PulumiTools> {
  const root = join(cacheRoot(), "tools", "pulumi-official", sdkVersion);
  const official = await findOfficial(root);
  if (official) {
    return { command: official, binDirs: [dirname(official)] };
  }
  // Scripts are written at once, so only built tools are counted.
  const toBuild = replacements.filter((name) => pins[name].kind === "go");
  const built = await Promise.all(toBuild.map((name) => pulumiTools.find(name)));
  if (built.includes(undefined)) {
    report(`pulumi ${sdkVersion}: downloading the official CLI ...`);
    const failure = await download(root);
    const command = join(root, "bin", "pulumi");
    if (failure === undefined) {
      return { command, binDirs: [dirname(command)] };
    }
    if (!canBuild()) {
      throw new ToolError(
        `Pulumi's CLI is missing, and could not be downloaded (${failure}). ` +
          "Install it (https://www.pulumi.com/docs/install/), so that it is on PATH.",
      );
    }
    const instead = `building ${pins.pulumi.version} from its Go module instead`;
    report(`pulumi ${sdkVersion}: no official CLI (${failure}); ${instead}`);
  }
  const tools = await pulumiTools.ensure(replacements, report);
  const files = replacements.flatMap((name) => tools.get(name) ?? []);
  return { command: files[0] ?? "", binDirs: files.map((file) => dirname(file)) };
}
