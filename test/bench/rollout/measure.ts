import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { fail, step } from "../../../cli/terminal";
import { type LabInfo, resetLab, startLab } from "../../../lab/cluster/lab";
import { Kubectl } from "../../support/kubectl";
import { PlatformStack } from "../../support/platform-stack";
import { attack, CONNECTIONS } from "./attack";
import { Disturbances, PODS } from "./disturb";
import { type Phase, shortcomings, table } from "./report";

const TEAM = "demo";
const SELECTOR = "app.kubernetes.io/name=model-service,app.kubernetes.io/instance=diabetes";
/** Requests that rollouts, scale-downs and drains must stand together. */
const LEAST = 100_000;

interface Options {
  times: number;
  drains: number;
  control: number;
  rate: number;
  quick?: boolean;
}

/** Runs the phases of one measurement, and keeps what became of their requests. */
class Measurement {
  readonly phases: Phase[] = [];

  constructor(
    private readonly url: string,
    private readonly rate: number,
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {}

  async phase(what: string, times: number, strict: boolean, work: () => Promise<void>) {
    step(`${what}: ${times} times, under ${CONNECTIONS.length * this.rate} requests/s`);
    const attacks = await Promise.all(
      CONNECTIONS.map((kind) => attack(this.url, kind, this.rate, this.folder)),
    );
    try {
      for (let time = 1; time <= times; time += 1) {
        this.signal.throwIfAborted();
        await work();
        if (time % 5 === 0) step(`${what}: ${time} of ${times}`);
      }
    } finally {
      const sent = await Promise.all(attacks.map(({ stop }) => stop()));
      for (const [index, connections] of CONNECTIONS.entries()) {
        const report = sent[index];
        if (report) this.phases.push({ what, times, connections, strict, sent: report });
      }
    }
  }
}

async function serve(lab: LabInfo, folder: string): Promise<{ url: string; kubectl: Kubectl }> {
  const fixed = { kind: "none", replicas: PODS };
  const { open } = await PlatformStack.create(folder, lab, [
    [["team", "models", 0, "autoscale"], fixed],
  ]);
  const { outputs } = await open.stack.up(open.options);
  return { url: outputs.models?.value.diabetes, kubectl: await Kubectl.of(lab.kubeconfig) };
}

async function measure(options: Options, signal: AbortSignal): Promise<void> {
  const { times, drains, control, rate } = options.quick
    ? { ...options, times: 2, drains: 1, control: 2 }
    : options;
  const folder = mkdtempSync(join(tmpdir(), "ml-platform-rollout-"));
  const where = { name: `roll-${process.pid.toString(36)}`, folder: join(folder, "lab") };
  try {
    const { url, kubectl } = await serve(await startLab(where, step), folder);
    const [deployment = ""] = (
      await kubectl.run("get", "deployments", "-n", TEAM, "-l", SELECTOR, "-o", "name")
    )
      .trim()
      .split("\n");
    const pods = new Disturbances(kubectl, TEAM, deployment, SELECTOR);
    const measurement = new Measurement(url, rate, folder, signal);
    await measurement.phase("Rollout", times, true, () => pods.rollout());
    await measurement.phase("Scale-down", times, true, () => pods.scaleDown());
    await measurement.phase("Drain", drains, true, () => pods.drain());
    await measurement.phase("Pod killed", times, false, () => pods.kill());
    step("control: without readiness, pause before the end, and time to finish");
    await pods.unguard();
    await measurement.phase("Rollout, control", control, false, () => pods.rollout());
    await measurement.phase("Scale-down, control", control, false, () => pods.scaleDown());
    process.stdout.write(`\n${table(measurement.phases)}\n`);
    const missing = shortcomings(measurement.phases, options.quick ? 0 : LEAST);
    if (missing.length > 0) throw new Error(missing.join("\n  "));
  } finally {
    await resetLab(where, step);
    rmSync(folder, { recursive: true });
  }
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new InvalidArgumentError("write a whole number from 1 to 1000");
}

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => interrupted.abort(new Error(`${signal} was received`)));
}

new Command("npm run bench:rollout --")
  .description(
    "Counts the requests that a model loses while its pods are rolled out, scaled down, drained and killed, on a lab of its own. Exit code 1 where a rollout, a scale-down or a drain loses one.",
  )
  .option("--times <n>", "rollouts, scale-downs and kills", count, 20)
  .option("--drains <n>", "drains of the node", count, 5)
  .option(
    "--control <n>",
    "rollouts and scale-downs without the settings that prevent loss",
    count,
    5,
  )
  .option(
    "--rate <n>",
    "requests per second, once over fresh and once over kept connections",
    count,
    100,
  )
  .option("--quick", "few times of each, to see that it works")
  .action((options: Options) => measure(options, interrupted.signal))
  .parseAsync()
  .catch(fail);
