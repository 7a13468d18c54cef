import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { whole } from "../../../cli/common/options";
import { fail, step } from "../../../cli/common/terminal";
import { run } from "../../../cli/interruption";
import { withoutTls } from "../../../cli/stack/certificate";
import { identify, type LabOptions } from "../../../lab/cluster/identity";
import { resetLab, startLab } from "../../../lab/cluster/lab";
import { Kubectl } from "../../support/kubectl";
import { PlatformStack } from "../../support/platform-stack";
import { attack, type Clients } from "./attack";
import { Disruptions, PODS } from "./disturb";
import { type Phase, shortcomings, table } from "./report";

const TEAM = "demo";
const SELECTOR = "app.kubernetes.io/name=model-service,app.kubernetes.io/instance=diabetes";
/** Minimum number of requests in all rollouts, scale-downs and drains. */
const MIN_REQUESTS = 100_000;

interface Options {
  readonly times: number;
  readonly drains: number;
  readonly control: number;
  readonly rate: number;
  readonly quick?: boolean;
}

/** Runs the phases of one measurement, and records the results of their requests. */
class Measurement {
  readonly phases: Phase[] = [];

  constructor(
    private readonly clients: readonly Clients[],
    private readonly rate: number,
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {}

  async phase(what: string, times: number, strict: boolean, work: () => Promise<void>) {
    const { clients, rate } = this;
    step(`${what}: ${times} times, under ${clients.length * rate} requests/s`);
    const attacks = await Promise.all(clients.map((kind) => attack(kind, rate, this.folder)));
    const start = performance.now();
    try {
      for (let time = 1; time <= times; time += 1) {
        this.signal.throwIfAborted();
        await work();
        if (time % 5 === 0) {
          step(`${what}: ${time} of ${times}`);
        }
      }
    } finally {
      const seconds = (performance.now() - start) / 1000;
      const sent = await Promise.all(attacks.map(({ stop }) => stop()));
      for (const [index, report] of sent.entries()) {
        const { name = "" } = clients[index] ?? {};
        this.phases.push({ what, times, clients: name, rate, seconds, strict, sent: report });
      }
    }
  }
}

/** Serves the model with a fixed number of pods, on a new lab. */
async function serve(where: LabOptions, folder: string) {
  const lab = await startLab(where, step);
  const fixed = { kind: "none", replicas: PODS };
  const { open } = await PlatformStack.create(folder, lab, [
    [["team", "models", 0, "autoscale"], fixed],
  ]);
  const { outputs } = await open.stack.up(open.options);
  return {
    // The clients do not use TLS, so that only connections are measured.
    url: withoutTls(outputs.models?.value.diabetes, outputs.platform?.value) ?? "",
    kubectl: await Kubectl.of(lab.kubeconfig),
  };
}

/**
 * The kinds of clients. The ingress controller selects the pod of a request itself. Only clients on the node that connect to
 * the model's Service test how the cluster balances connections.
 */
async function clientsOf(url: string, kubectl: Kubectl, where: LabOptions): Promise<Clients[]> {
  const address = ["-o", "jsonpath={.spec.clusterIP}"];
  const service = await kubectl.run("get", "service", "diabetes", "-n", TEAM, ...address);
  const { netns } = identify(where).paths;
  return [
    { name: "new connections", url, keptAlive: false },
    { name: "keep-alive", url, keptAlive: true },
    { name: "new connections, Service", url: `http://${service}`, keptAlive: false, netns },
  ];
}

async function measure(options: Options, signal: AbortSignal): Promise<void> {
  const { times, drains, control, rate } = options.quick
    ? { ...options, times: 2, drains: 1, control: 2 }
    : options;
  const folder = mkdtempSync(join(tmpdir(), "ml-platform-rollout-"));
  const where = { name: `roll-${process.pid.toString(36)}`, folder: join(folder, "lab") };
  try {
    const { url, kubectl } = await serve(where, folder);
    const [deployment = ""] = (
      await kubectl.run("get", "deployments", "-n", TEAM, "-l", SELECTOR, "-o", "name")
    )
      .trim()
      .split("\n");
    const pods = new Disruptions(kubectl, TEAM, deployment, SELECTOR);
    const clients = await clientsOf(url, kubectl, where);
    const measurement = new Measurement(clients, rate, folder, signal);
    await measurement.phase("Rollout", times, true, () => pods.rollout());
    await measurement.phase("Scale-down", times, true, () => pods.scaleDown());
    await measurement.phase("Drain", drains, true, () => pods.drain());
    await measurement.phase("Pod killed", times, false, () => pods.kill());
    step("control: without readiness probe, preStop hook, and grace period");
    await pods.removeSafeguards();
    await measurement.phase("Rollout, without safeguards", control, false, () => pods.rollout());
    await measurement.phase("Scale-down, without safeguards", control, false, () =>
      pods.scaleDown(),
    );
    process.stdout.write(`\n${table(measurement.phases)}\n`);
    const missing = shortcomings(measurement.phases, options.quick ? 0 : MIN_REQUESTS);
    if (missing.length > 0) {
      throw new Error(missing.join("\n  "));
    }
  } finally {
    await resetLab(where, step);
    rmSync(folder, { recursive: true });
  }
}

new Command("npm run bench:rollout --")
  .description(
    "Counts the requests that a model loses while its pods are rolled out, scaled down, drained and killed, on a new lab. Exits with code 1 if a rollout, a scale-down or a drain loses one.",
  )
  .option("--times <n>", "rollouts, scale-downs and kills", whole(1000), 20)
  .option("--drains <n>", "drains of the node", whole(1000), 5)
  .option(
    "--control <n>",
    "rollouts and scale-downs without the settings that prevent loss",
    whole(1000),
    5,
  )
  .option("--rate <n>", "requests per second of each kind of client", whole(1000), 100)
  .option("--quick", "few repetitions, to test that it works")
  .action((options: Options) =>
    run("nothing was measured", (interruption) =>
      interruption.guard((signal) => measure(options, signal), "the lab is being removed"),
    ),
  )
  .parseAsync()
  .catch(fail);
