import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { Interruption } from "../cli/interruption";
import { ToolError } from "../toolchain";
import { LabError, type LabOptions } from "./cluster/identity";
import { kubeconfigPath, labStatus, resetLab, startLab, stopLab } from "./cluster/lab";

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** No colours: the output is also read by programs. */
const PLAIN = { head: [], border: [] };

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
  throw new InvalidArgumentError("Give a port number from 1 to 65535.");
}

/** A command with the options that say which lab is meant. */
function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--name <name>", "name of the lab", "dev")
    .option("--folder <path>", "folder of the lab (default: .lab/NAME in the checkout)");
}

const up = command("up", "start the lab, or repair it; what is well is left alone")
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

const down = command("down", "stop all that the lab runs; its data stays").action(
  (options: LabOptions) => stopLab(options, print),
);

const reset = command("reset", "stop the lab and remove every trace of it, data included").action(
  (options: LabOptions) => resetLab(options, print),
);

const kubeconfig = command("kubeconfig", "print the path of the lab's kubeconfig").action(
  (options: LabOptions) => print(kubeconfigPath(options)),
);

const status = command("status", "show the lab's parts; exit code 1 if one is not well").action(
  async (options: LabOptions) => {
    const { info, parts, versions } = await labStatus(options);
    const table = new Table({ style: PLAIN, head: ["part", "state", "pid", "memory", ""] });
    for (const { name, state, pid, memory, reason } of parts) {
      table.push([
        name,
        state,
        pid ?? "",
        memory === undefined ? "" : `${memory} MiB`,
        reason ?? "",
      ]);
    }
    print([`lab ${info.name}: node ${info.nodeAddress}`, ...versions].join(", "));
    print(table.toString());
    if (parts.some(({ state }) => state !== "running")) process.exitCode = 1;
  },
);

const program = new Command("lab").description(
  "A local Kubernetes cluster with a registry, an image builder and an ingress, in a network namespace of its own.",
);
for (const each of [up, down, status, reset, kubeconfig]) program.addCommand(each);

// Whatever it was at, both begin where it is now; what has been started runs on.
const interruption = new Interruption("lab up goes on from here, lab down stops what runs");
interruption.conclude(
  program.parseAsync().then(() => {}),
  (error) => {
    const explained = error instanceof LabError || error instanceof ToolError;
    process.stderr.write(`${explained ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  },
);
