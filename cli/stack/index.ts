import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import * as auto from "@pulumi/pulumi/automation";
import { x } from "tinyexec";
import { labTrouble } from "../../lab/cluster/lab";
import type { Report } from "../../toolchain";
import { ensurePulumi, type PulumiTools, policyPack } from "../../toolchain/pulumi";
import { ROOT } from "../common/root";
import { engineErrors } from "../common/terminal";
import { labOf } from "./file";

export { ROOT };

/** The policy pack that checks every preview and update. */
const POLICY_PACK = join(ROOT, "policy");

/** A stack, and what is needed to preview and update it. */
export interface OpenStack {
  readonly stack: auto.Stack;
  /** Options of every preview and update: the policy pack is among them. */
  readonly options: Pick<auto.UpOptions, "policyPacks" | "color"> & {
    onOutput: (text: string) => void;
  };
  /** Folder of `Pulumi.yaml` and the stack files. */
  readonly workDir: string;
  /**
   * Runs Pulumi's CLI for this stack, and returns its output.
   * @throws Error with the errors in its output
   */
  readonly pulumi: (args: readonly string[], input?: string) => Promise<string>;
}

export interface StackSettings {
  /** Name of the stack, whose configuration is in `Pulumi.NAME.yaml`. */
  readonly name: string;
  /** Folder of `Pulumi.yaml` and the stack files. @default the program's */
  readonly workDir?: string;
  /** Where the state is. @default what Pulumi.yaml says */
  readonly backend?: string;
}

/**
 * The environment in which Pulumi runs: the tools first on PATH and, for a stack on a local cluster, the empty passphrase
 * that its file is committed with. The passphrase of any other stack comes from its owner.
 */
export function environment(
  tools: PulumiTools,
  local: boolean,
  base: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const given = base.PULUMI_CONFIG_PASSPHRASE !== undefined || base.PULUMI_CONFIG_PASSPHRASE_FILE;
  return {
    PATH: [...tools.binDirs, join(ROOT, "node_modules", ".bin"), base.PATH ?? ""].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The compiler has checked the pack's types already, in `npm test`.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    ...(local && !given && { PULUMI_CONFIG_PASSPHRASE: "" }),
  };
}

/** Reports the parts of a stack's lab that do not run. Commands that do not start the lab would only show the consequences. */
export function reportTrouble(lab: string | undefined, report: Report): void {
  if (lab) {
    for (const line of labTrouble({ name: lab })) {
      report(line);
    }
  }
}

/**
 * Opens a stack of the program with the Automation API, and creates it where it is new.
 * @throws Error where the stack's file does not exist, or has mistakes
 */
export async function openStack(settings: StackSettings, report: Report): Promise<OpenStack> {
  const { name, workDir = ROOT, backend } = settings;
  const lab = labOf(name, workDir);
  const local = lab !== undefined;
  reportTrouble(lab, report);
  const tools = await ensurePulumi(report);
  // In a local backend the engine creates the folders of stacks, but not the backend's own.
  mkdirSync(join(workDir, ".state"), { recursive: true });
  const envVars: Record<string, string> = {
    ...environment(tools, local),
    ...(backend && { PULUMI_BACKEND_URL: backend }),
  };
  // Pulumi and its plugins are looked up on our PATH, before any environment of the workspace applies.
  process.env.PATH = envVars.PATH;
  // The program reads files relative to its folder, wherever the command was called from.
  process.chdir(workDir);
  // Loaded here, as its libraries take a second that a refusal above need not wait for.
  const { default: program } = await import("../../index");
  const stack = await auto.LocalWorkspace.createOrSelectStack(
    { stackName: name, projectName: "ml-platform", program },
    { workDir, envVars },
  );
  return {
    stack,
    workDir,
    pulumi: pulumiOf(name, tools.command, { cwd: workDir, env: envVars }),
    options: {
      policyPacks: [policyPack(POLICY_PACK)],
      color: process.stdout.isTTY ? "always" : "never",
      onOutput: (text) => process.stdout.write(text),
    },
  };
}

/** A function that runs Pulumi's CLI for a stack. */
function pulumiOf(
  stack: string,
  command: string,
  nodeOptions: { cwd: string; env: Record<string, string> },
): OpenStack["pulumi"] {
  return async (args, stdin = "") => {
    const flags = ["--stack", stack, "--non-interactive"];
    const run = x(command, [...args, ...flags], { nodeOptions, stdin });
    const { exitCode, stdout, stderr } = await run;
    if (exitCode !== 0) {
      throw new Error(`pulumi ${args.join(" ")}: ${engineErrors(stderr)}`);
    }
    return stdout;
  };
}
