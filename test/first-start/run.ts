import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import Table from "cli-table3";
import { Command } from "commander";
import { x } from "tinyexec";
import { whole } from "../../cli/common/options";
import { fail, step } from "../../cli/common/terminal";
import { ROOT } from "../../cli/stack";
import { duration } from "../../toolchain";
import { stepsOf, type TimedLine } from "./timeline";

/** The first line of the result: a prediction of the trained model. */
const PREDICTION = /"prediction":\[[\d.]+\]/;

interface Run {
  readonly lines: TimedLine[];
  readonly code: number | null;
  readonly took: number;
}

/** The environment of a user with an empty home folder: no caches of npm, Go or this project, and no folder of this checkout on PATH. */
function freshEnvironment(home: string): NodeJS.ProcessEnv {
  const own =
    /^(npm_|ML_PLATFORM_|XDG_|PULUMI_|GO(PATH|CACHE|MODCACHE|BIN)$|INIT_CWD$|NODE$|NODE_PATH$|PIP_CACHE_DIR$)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((it) => !it.includes("node_modules"));
  return { ...Object.fromEntries(kept), HOME: home, PATH: path.join(delimiter) };
}

/** Runs a command, prints its lines with the time since its start, and returns them; interrupted after some seconds, if given. */
async function timed(
  command: string,
  args: string[],
  [cwd, home]: Machine,
  interruptAfter?: number,
): Promise<Run> {
  const start = Date.now();
  const child = spawn(command, args, {
    cwd,
    env: freshEnvironment(home),
    stdio: ["ignore", "pipe", "pipe"],
    // A terminal's Ctrl-C reaches the whole process group.
    detached: interruptAfter !== undefined,
  });
  const interrupt =
    interruptAfter &&
    setTimeout(() => process.kill(-(child.pid as number), "SIGINT"), interruptAfter * 1000);
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.once("SIGINT", forward).once("SIGTERM", forward);
  const lines: TimedLine[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output).on("line", (text) => {
      const at = Date.now() - start;
      lines.push({ at, text });
      process.stdout.write(`${(at / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(interrupt);
  process.off("SIGINT", forward).off("SIGTERM", forward);
  return { lines, code, took: Date.now() - start };
}

function table({ lines }: Run): string {
  const result = new Table({
    head: ["step", "took", "completed after"],
    style: { head: [], border: [] },
  });
  for (const { name, took, ended } of stepsOf(lines)) {
    result.push([name, took, duration(ended)]);
  }
  return result.toString();
}

/** A clone of the last commit, and an empty home folder. */
type Machine = readonly [clone: string, home: string];

async function newMachine(folder: string): Promise<Machine> {
  const [clone, home] = [join(folder, "ml-platform"), join(folder, "home")];
  await x("mkdir", [home]);
  const cloned = await x("git", ["clone", "--quiet", ROOT, clone]);
  if (cloned.exitCode !== 0) {
    throw new Error(`git clone ${ROOT} failed:\n${cloned.stderr}`);
  }
  return [clone, home];
}

/** Removes the lab and the folder; Go's downloads are read-only. */
async function clean(machine: Machine, folder: string): Promise<void> {
  await timed("npm", ["run", "--silent", "lab", "--", "reset"], machine);
  await x("chmod", ["-R", "u+w", folder]);
  rmSync(folder, { recursive: true, force: true });
}

/** Fails unless the run ended with a prediction. */
function checkStarted({ lines, code, took }: Run): void {
  if (code !== 0) {
    throw new Error(`npm start exited with code ${code} after ${duration(took)}`);
  }
  if (!lines.some(({ text }) => PREDICTION.test(text))) {
    throw new Error("npm start succeeded, but printed no prediction");
  }
  step(`npm start: ${duration(took)} to the prediction`);
}

/** Runs `npm start` and interrupts it. */
async function interruptedStart(machine: Machine, seconds: number): Promise<void> {
  const { code, took } = await timed("npm", ["start"], machine, seconds);
  if (code === 0) {
    throw new Error(`npm start succeeded after ${duration(took)}, before it was interrupted`);
  }
  step(
    `npm start: interrupted after ${seconds} s, exited with code ${code} after ${duration(took)}`,
  );
}

interface Options {
  readonly keep?: boolean;
  readonly again?: boolean;
  readonly interrupt?: number;
}

async function firstStart({ keep, again, interrupt }: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "first-start-"));
  const machine = await newMachine(folder);
  step(`first start: a clone of the last commit in ${machine[0]}, with an empty home folder`);
  try {
    if (interrupt) {
      await interruptedStart(machine, interrupt);
    }
    const first = await timed("npm", ["start"], machine);
    process.stdout.write(`\n${table(first)}\n`);
    checkStarted(first);
    if (again) {
      checkStarted(await timed("npm", ["start"], machine));
    }
  } finally {
    if (!keep) {
      await clean(machine, folder);
    }
  }
}

new Command("npm run test:first-start --")
  .description(
    "Runs npm start in a fresh clone of the last commit with an empty home folder, until the prediction, and prints the duration of each step. Uses the default name and ports of the local cluster, so run npm run lab -- down first. Installed Debian packages are kept.",
  )
  .option("--again", "run npm start a second time, with everything installed")
  .option(
    "--interrupt <seconds>",
    "interrupt a start before it, after this many seconds, as Ctrl-C does",
    whole(3600),
  )
  .option("--keep", "keep the clone, its caches and its running lab")
  .action(firstStart)
  .parseAsync()
  .catch(fail);
