import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { startLab } from "../lab/cluster/lab";
import { lockImages } from "./lock-images";
import { contextStackName, type OwnCluster, ownClusterStack } from "./own-cluster";
import { labOf, openStack, ROOT } from "./stack";
import { firstPrediction, type StackOutputs, summary } from "./summary";
import { fail, step } from "./terminal";

interface StartOptions extends OwnCluster {
  stack: string;
}

/** The stack to bring up: the named one, or that of a cluster of one's own, whose file is written once. */
function chooseStack(options: StartOptions): string {
  if (!options.context) return options.stack;
  const name = contextStackName(options.context);
  const file = join(ROOT, `Pulumi.${name}.yaml`);
  if (!existsSync(file)) {
    writeFileSync(file, ownClusterStack(options));
    step(
      `Pulumi.${name}.yaml: written for the context ${options.context}; it is yours to change and to commit`,
    );
  }
  return name;
}

async function start(options: StartOptions): Promise<void> {
  const name = chooseStack(options);
  const lab = labOf(name);
  if (lab) await startLab({ name: lab }, step);
  else await lockImages(name, step);

  const { stack, options: settings } = await openStack({ name }, step);
  step(`stack ${name}: updating`);
  // Refreshed, so that what was changed or lost by hand, or with an earlier cluster, is put right.
  const { outputs } = await stack.up({ ...settings, refresh: true });
  const values = Object.fromEntries(
    Object.entries(outputs).map(([key, { value }]) => [key, value]),
  ) as StackOutputs;
  const prediction = await firstPrediction(values);
  process.stdout.write(`\n${await summary(name, values, prediction)}\n`);
}

new Command("npm start --")
  .description(
    "Brings up the platform and a team: on the local cluster, which is started and filled where needed, or on a cluster of yours.",
  )
  .option("--stack <name>", "the stack to bring up, whose file is Pulumi.<name>.yaml", "dev")
  .option("--context <name>", "a kubeconfig context: use that cluster instead of a local one")
  .option(
    "--registry <path>",
    "with --context: where built images are pushed to, such as ghcr.io/acme",
  )
  .option("--ingress-class <name>", "with --context: the ingress class; default: the cluster's")
  .option(
    "--ingress-namespace <name>",
    "with --context: the namespace of the ingress controller's pods",
  )
  .option("--domain <name>", "with --context: the domain below which hosts are named")
  .option("--storage-class <name>", "with --context: the storage class; default: the cluster's")
  .action(start)
  .parseAsync()
  .catch(fail);
