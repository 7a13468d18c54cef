import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { Interruption } from "../cli/interruption";
import { ToolError } from "../toolchain";
import { LabError, type LabOptions } from "./cluster/identity";
import { kubeconfigPath, labStatus, resetLab, startLab, stopLab } from "./cluster/lab";

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** No colors: programs also read the output. */
const PLAIN = { head: [], border: [] };

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
  throw new InvalidArgumentError("Give a port number from 1 to 65535.");
}

/** A command with the options that select the lab. */
function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--name <name>", "name of the lab", "dev")
    .option("--folder <path>", "folder of the lab (default: .lab/NAME in the checkout)");
}

const up = command("up", "start or repair the lab; healthy components are not changed")
  .option("--registry-port <port>", "loopback port of the registry (default for dev: 5001)", port)
  .option("--ingress-port <port>", "loopback port of the ingress (default for dev: 8080)", port)
  .action(async (options: LabOptions) => {
    const info = await startLab(options, print);
    const table = new Table({ style: PLAIN });
    table.push(
      { kubeconfig: info.kubeconfig },
      { context: info.context },
      { registry: info.registry },
      { ingress: info.ingress },
      { builder: info.builder },
    );
    print(table.toString());
  });

const down = command("down", "stop everything that the lab runs; its data is kept").action(
  (options: LabOptions) => stopLab(options, print),
);

const reset = command("reset", "stop the lab and remove all of it, including its data").action(
  (options: LabOptions) => resetLab(options, print),
);

const kubeconfig = command("kubeconfig", "print the path of the lab's kubeconfig").action(
  (options: LabOptions) => print(kubeconfigPath(options)),
);

const status = command(
  "status",
  "show the lab's components; exit code 1 if one is not running",
).action(async (options: LabOptions) => {
  const { info, components, versions } = await labStatus(options);
  const table = new Table({ style: PLAIN, head: ["component", "state", "pid", "memory", ""] });
  for (const { name, state, pid, memory, reason } of components) {
    table.push([name, state, pid ?? "", memory === undefined ? "" : `${memory} MiB`, reason ?? ""]);
  }
  print([`lab ${info.name}: node ${info.nodeAddress}`, ...versions].join(", "));
  print(table.toString());
  if (components.some(({ state }) => state !== "running")) process.exitCode = 1;
});

const program = new Command("lab").description(
  "A local Kubernetes cluster with a registry, an image builder and an ingress, in a network namespace of its own.",
);
for (const each of [up, down, status, reset, kubeconfig]) program.addCommand(each);

// Both commands continue from any state; processes that were started keep running.
const interruption = new Interruption("lab up continues from here, lab down stops the processes");
interruption.conclude(
  program.parseAsync().then(() => {}),
  (error) => {
    const explained = error instanceof LabError || error instanceof ToolError;
    process.stderr.write(`${explained ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  },
);
