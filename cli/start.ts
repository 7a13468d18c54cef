import { Command } from "commander";
import type { Report } from "../toolchain";
import { checkCluster } from "./check-cluster";
import { ensureCluster } from "./cluster";
import { type Interruption, run } from "./interruption";
import { lockImages } from "./lock-images";
import { whole } from "./options";
import { type OwnCluster, ownStack, requireContext } from "./own-cluster";
import { takeBackKilled } from "./promotion-record";
import { type OpenStack, openStack, ROOT } from "./stack";
import { firstPrediction, type StackOutputs, summary } from "./summary";
import { fail, step } from "./terminal";
import { finishInterrupted } from "./unfinished";

interface StartOptions extends OwnCluster {
  stack?: string;
}

/**
 * Updates a stack, after what an earlier command was interrupted in is finished.
 * @returns the stack's outputs
 * @throws Error where the engine was asked to end, or could not do it
 */
export async function update(
  open: OpenStack,
  signal: AbortSignal,
  report: Report,
): Promise<StackOutputs> {
  const { stack, options } = open;
  await finishInterrupted(open, signal, report);
  takeBackKilled(stack.name, open.workDir, report);
  // An update writes some resources before it meets a bad one; a preview finds all that is bad, and writes nothing.
  signal.throwIfAborted();
  report(`stack ${stack.name}: previewing`);
  await stack.preview({ ...options, signal });
  signal.throwIfAborted();
  report(`stack ${stack.name}: updating`);
  // Refreshed, so that what was changed or lost by hand, or with an earlier cluster, is put right.
  const { outputs } = await stack.up({ ...options, signal, refresh: true });
  return Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value]));
}

async function start(
  { stack: named, context, ...cluster }: StartOptions,
  interruption: Interruption,
): Promise<void> {
  requireContext({ context, ...cluster });
  const name = context
    ? await ownStack({ context, ...cluster }, checkCluster, ROOT, named)
    : (named ?? "dev");
  const local = await ensureCluster(name);
  if (!local) await lockImages(name, step);
  const open = await openStack({ name }, step);
  const outputs = await interruption.guard((signal) => update(open, signal, step));
  const prediction = await firstPrediction(outputs, local);
  process.stdout.write(`\n${await summary(name, outputs, prediction)}\n`);
}

if (require.main === module) {
  new Command("npm start --")
    .description(
      "Brings up the platform and a team: on the local cluster, which is started and filled where needed, or on a cluster of yours.",
    )
    .option(
      "--stack <name>",
      "the stack to bring up, whose file is Pulumi.<name>.yaml; default: dev, with --context one that is named after the context",
    )
    .option("--context <name>", "a kubeconfig context: use that cluster instead of a local one")
    .option(
      "--registry <path>",
      "with --context: where built images are pushed to, such as ghcr.io/acme",
    )
    .option(
      "--mirror <host>",
      "with --context: a registry with copies of the third-party images under their full names; default: upstream",
    )
    .option("--builder <name>", "with --context: the buildx builder; default: the current one")
    .option(
      "--ca-file <path>",
      "with --context: authorities that package installs within image builds must trust, behind a proxy",
    )
    .option("--ingress-class <name>", "with --context: the ingress class; default: the cluster's")
    .option(
      "--ingress-namespace <name>",
      "with --context: the namespace of the ingress controller's pods, which network policies let in",
    )
    .option(
      "--ingress-port <number>",
      "with --context: the port at which hosts below the domain are reached; default: 80, or 443 with an issuer",
      whole(65_535),
    )
    .option("--domain <name>", "with --context: the domain below which hosts are named")
    .option(
      "--issuer <name>",
      "with --context: a cert-manager ClusterIssuer; without it there is no TLS",
    )
    .option("--storage-class <name>", "with --context: the storage class; default: the cluster's")
    .action((options: StartOptions) =>
      run("npm start goes on from here", (interruption) => start(options, interruption)),
    )
    .parseAsync()
    .catch(fail);
}
