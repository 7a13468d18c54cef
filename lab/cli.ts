import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import type { LabOptions } from "./cluster/identity";

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** No colors: programs also read the output. */
const PLAIN = { head: [], border: [] };

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 65_536) {
    return value;
  }
  throw new InvalidArgumentError("Give a port number from 1 to 65535.");
}

/** A command with the options that select the lab. */
function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--name <name>", "name of the lab", "dev")
    .option("--folder <path>", "folder of the lab (default: .lab/NAME in the checkout)");
}

/** Runs the work of a command, and handles its signals and errors. */
type Run = (work: () => Promise<void>) => Promise<void>;

/** Loads the lab's code when a command runs, so that help and completion are fast. */
const loadLab = () => import("./cluster/lab");

async function up(options: LabOptions): Promise<void> {
  const { startLab } = await loadLab();
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
}

async function down(options: LabOptions): Promise<void> {
  const { stopLab } = await loadLab();
  await stopLab(options, print);
}

async function reset(options: LabOptions): Promise<void> {
  const { resetLab } = await loadLab();
  await resetLab(options, print);
}

async function kubeconfig(options: LabOptions): Promise<void> {
  const { kubeconfigPath } = await loadLab();
  print(kubeconfigPath(options));
}

async function status(options: LabOptions): Promise<void> {
  const { labStatus } = await loadLab();
  const { info, components, versions } = await labStatus(options);
  const table = new Table({ style: PLAIN, head: ["component", "state", "pid", "memory", ""] });
  for (const { name, state, pid, memory, reason } of components) {
    table.push([name, state, pid ?? "", memory === undefined ? "" : `${memory} MiB`, reason ?? ""]);
  }
  print([`lab ${info.name}: node ${info.nodeAddress}`, ...versions].join(", "));
  print(table.toString());
  if (components.some(({ state }) => state !== "running")) {
    process.exitCode = 1;
  }
}

/** The command `lab` with its subcommands. */
export function labCommands(run: Run): Command {
  const action = (work: (options: LabOptions) => Promise<void>) => (options: LabOptions) =>
    run(() => work(options));
  const subcommands = [
    command("up", "start or repair the lab; healthy components are not changed")
      .option(
        "--registry-port <port>",
        "loopback port of the registry (default for dev: 5001)",
        port,
      )
      .option("--ingress-port <port>", "loopback port of the ingress (default for dev: 8080)", port)
      .option(
        "--https-port <port>",
        "loopback port of the ingress with TLS (default for dev: 8443)",
        port,
      )
      .action(action(up)),
    command("down", "stop everything that the lab runs; its data is kept").action(action(down)),
    command("status", "show the lab's components; exit code 1 if one is not running").action(
      action(status),
    ),
    command("reset", "stop the lab and remove all of it, including its data").action(action(reset)),
    command("kubeconfig", "print the path of the lab's kubeconfig").action(action(kubeconfig)),
  ];
  const lab = new Command("lab").description(
    "A local Kubernetes cluster with a registry, an image builder and an ingress, in its own network namespace.",
  );
  for (const each of subcommands) {
    lab.addCommand(each);
  }
  return lab;
}
