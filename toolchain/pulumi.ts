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

/** What runs the program. */
export interface PulumiTools {
  /** Absolute path of the CLI. */
  readonly command: string;
  /** Folders to put first on PATH: the CLI's own and those of its plugins. */
  readonly binDirs: readonly string[];
}

/** Most that a download of the official CLI (about 150 MB) may take, in milliseconds. */
const downloadTimeout = 180_000;

/** What stands in for the plugins that come with the official CLI, or that it downloads. */
const standIns = [
  "pulumi",
  "pulumi-resource-kubernetes",
  "pulumi-resource-docker-build",
  "pulumi-resource-pulumi-nodejs",
  "pulumi-resource-kubernetes-cert-manager",
] as const satisfies readonly PulumiTool[];

/** What runs programs and policy packs; an official CLI has it beside it. */
const LANGUAGE_HOST = "pulumi-language-nodejs";

/** Whether a CLI was installed with what it needs: the official one's language host, or a provider that it could not download. */
function isComplete(command: string): boolean {
  const either = [LANGUAGE_HOST, "pulumi-resource-kubernetes"];
  return either.some((name) => isExecutable(join(dirname(command), name)));
}

/**
 * What is given to the engine as a policy pack: its folder, or its executable, which the engine starts by itself where no
 * language host is on PATH.
 */
export function policyPack(folder: string): string {
  return which(LANGUAGE_HOST) ? folder : join(folder, "run-in-engine");
}

/** Where the installer and the CLI come from. */
const site = "https://get.pulumi.com/install.sh";

/**
 * Installs the official CLI below `root`, or gives the reason why it could not.
 *
 * The Automation API's installer runs in a process group of its own, so that the shell and the download that it starts end
 * with it when the time is over. It would wait minutes for a site that does not answer: that is found out before.
 */
async function downloadOfficial(root: string): Promise<string | undefined> {
  const silence = await downloader()
    .text(site)
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  if (silence) return silence;
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
  if (onPath && isComplete(onPath)) return onPath;
  return PulumiCommand.get({ root }).then(
    ({ command }) => command,
    () => undefined,
  );
}

/**
 * Makes sure of a Pulumi CLI and of the plugins that the program needs: the official CLI of PATH
 * or of an earlier download; else, where nothing is built yet, a download of it; else one that is
 * built from its Go module, with providers and plugin scripts that stand in for the official ones.
 *
 * @param download installs the official CLI below a folder, or gives the reason why it could not.
 * @param canBuild whether this machine has a Go that could build it.
 * @throws ToolError where there is none, and none can be had
 */
export async function ensurePulumi(
  report: Report,
  download = downloadOfficial,
  canBuild = () => goCandidates().length > 0,
): Promise<PulumiTools> {
  const root = join(cacheRoot(), "tools", "pulumi-official", sdkVersion);
  const official = await findOfficial(root);
  if (official) return { command: official, binDirs: [dirname(official)] };
  // Scripts are there in no time.
  const toBuild = standIns.filter((name) => pins[name].kind === "go");
  const built = await Promise.all(toBuild.map((name) => pulumiTools.find(name)));
  if (built.includes(undefined)) {
    report(`pulumi ${sdkVersion}: downloading the official CLI ...`);
    const failure = await download(root);
    const command = join(root, "bin", "pulumi");
    if (failure === undefined) return { command, binDirs: [dirname(command)] };
    if (!canBuild()) {
      throw new ToolError(
        `Pulumi's CLI is missing, and could not be downloaded (${failure}). ` +
          "Install it (https://www.pulumi.com/docs/install/), so that it is on PATH.",
      );
    }
    const instead = `building ${pins.pulumi.version} from its Go module instead`;
    report(`pulumi ${sdkVersion}: no official CLI (${failure}); ${instead}`);
  }
  const tools = await pulumiTools.ensure(standIns, report);
  const files = standIns.flatMap((name) => tools.get(name) ?? []);
  return { command: files[0] ?? "", binDirs: files.map((file) => dirname(file)) };
}
