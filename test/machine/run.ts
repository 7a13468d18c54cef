import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import Table from "cli-table3";
import { Command, Option } from "commander";
import { fail, step as print } from "../../cli/common/terminal";
import { duration } from "../../toolchain";
import { boot, type Guest } from "./boot";
import { makeDisk } from "./disk";
import { KERNELS, type Kernel, RELEASES, type Release } from "./packages";
import { inCheckout, machineSteps, prepare, type Step, type Variant } from "./steps";

interface Options {
  readonly kernel: Kernel;
  readonly release: Release;
  readonly container?: true;
  readonly docker?: true;
  readonly stack?: true;
  readonly keep?: true;
}

type Outcome = "passed" | "failed" | "not run";

/** Runs one step and writes its output to the log. */
async function passes(guest: Guest, step: Step, variant: Variant, log: string): Promise<boolean> {
  appendFileSync(log, `\n## ${step.name}\n`);
  if (typeof step.command !== "string") {
    await step.command(guest);
    return true;
  }
  const { exitCode, text } = await guest.run(inCheckout(step.command, variant), step.limit);
  appendFileSync(log, `$ ${step.command}\n${text}\nexit code ${exitCode}\n`);
  return exitCode === (step.exitCode ?? 0) && (step.says?.test(text) ?? true);
}

/** Runs steps in order; after a failure the others are not run. */
async function runSteps(guest: Guest, variant: Variant, log: string) {
  const rows: [string, Outcome, string][] = [];
  let failed = false;
  await guest.run(prepare(variant), 60);
  for (const step of machineSteps(variant)) {
    const begin = Date.now();
    const passed: boolean =
      !failed &&
      (await passes(guest, step, variant, log).catch((error: Error) => {
        appendFileSync(log, `${error.message}\n`);
        return false;
      }));
    const outcome = failed ? "not run" : passed ? "passed" : "failed";
    const time = failed ? "" : duration(Date.now() - begin);
    if (!failed) {
      print(`${step.name}: ${outcome} (${time})`);
    }
    rows.push([step.name, outcome, time]);
    failed ||= !passed;
  }
  return { rows, failed };
}

/** A description of the booted machine. */
async function describe(guest: Guest): Promise<string> {
  const ask = async (line: string) => (await guest.run(line, 60)).text.trim();
  const system = await ask(". /etc/os-release; echo $PRETTY_NAME");
  const manager = await ask("systemctl --version | head -1");
  const controllers = await ask("cat /sys/fs/cgroup/cgroup.controllers");
  return `${system}, Linux ${await ask("uname -r")}, ${manager}, cgroup v2 with ${controllers}`;
}

async function main({ kernel, release, keep, ...options }: Options): Promise<void> {
  // Variants can run at the same time.
  const variants = (["container", "docker", "stack"] as const).filter((it) => options[it]);
  const disk = await makeDisk([release, kernel, ...variants].join("-"), release, kernel, print);
  const log = disk.image.replace(/\.raw$/, ".log");
  writeFileSync(log, "");
  const guest = await boot(kernel, disk, `ml-${process.pid}`);
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  try {
    print(await describe(guest));
    const slowness = kernel === "qemu" ? 8 : 1;
    const { container = false, docker = false, stack = false } = options;
    const { rows, failed } = await runSteps(guest, { container, docker, stack, slowness }, log);
    const table = new Table({ head: ["step", "outcome", "time"], style: { head: [], border: [] } });
    table.push(...rows);
    process.stdout.write(`${table}\nLog: ${log}\nConsole: ${guest.console}\n`);
    if (failed) {
      process.exitCode = 1;
    }
  } finally {
    if (!keep) {
      await guest.stop();
    }
  }
  if (!keep) {
    rmSync(disk.image, { force: true });
  }
}

new Command("npm run test:machine --")
  .description("Boots a real Debian with systemd and cgroup v2, and tests a lab in it.")
  .addOption(new Option("--kernel <kind>", "kernel").choices(KERNELS).default("uml"))
  .addOption(new Option("--release <name>", "of Debian").choices(RELEASES).default("bookworm"))
  .addOption(
    new Option("--container", "in a container: cgroup v2 without systemd").conflicts("docker"),
  )
  .option("--docker", "with Docker running at the same time")
  .option("--stack", "also with the platform (npm start)")
  .option("--keep", "keep the machine running until this command is stopped, and keep its disk")
  .action(main)
  .parseAsync()
  .catch(fail);
