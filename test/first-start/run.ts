import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import Table from "cli-table3";
import { Command } from "commander";
import { x } from "tinyexec";
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

/** Runs a command, prints its lines with the time since its start, and returns them. */
async function timed(command: string, args: string[], cwd: string, home: string): Promise<Run> {
  const start = Date.now();
  const child = spawn(command, args, {
    cwd,
    env: freshEnvironment(home),
    stdio: ["ignore", "pipe", "pipe"],
  });
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
  process.off("SIGINT", forward).off("SIGTERM", forward);
  return { lines, code, took: Date.now() - start };
}

function table(runs: readonly Run[]): string {
  const result = new Table({
    head: ["step", "took", "completed after"],
    style: { head: [], border: [] },
  });
  for (const { lines } of runs) {
    for (const { name, took, ended } of stepsOf(lines)) {
      result.push([name, took, duration(ended)]);
    }
  }
  return result.toString();
}

/** Removes the lab and the folder; Go's downloads are read-only. */
async function clean(clone: string, folder: string, home: string): Promise<void> {
  await timed("npm", ["run", "--silent", "lab", "--", "reset"], clone, home);
  await x("chmod", ["-R", "u+w", folder]);
  rmSync(folder, { recursive: true, force: true });
}

async function firstStart({ keep, again }: { keep?: boolean; again?: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "first-start-"));
  const [clone, home] = [join(folder, "ml-platform"), join(folder, "home")];
  await x("mkdir", [home]);
  const cloned = await x("git", ["clone", "--quiet", ROOT, clone]);
  if (cloned.exitCode !== 0) {
    throw new Error(`git clone ${ROOT} failed:\n${cloned.stderr}`);
  }
  step(`first start: a clone of the last commit in ${clone}, with an empty home folder`);
  const runs: Run[] = [];
  try {
    runs.push(await timed("npm", ["start"], clone, home));
    if (again && runs[0]?.code === 0) {
      runs.push(await timed("npm", ["start"], clone, home));
    }
  } finally {
    if (!keep) {
      await clean(clone, folder, home);
    }
  }
  process.stdout.write(`\n${table(runs.slice(0, 1))}\n`);
  for (const { lines, code, took } of runs) {
    if (code !== 0) {
      throw new Error(`npm start exited with code ${code} after ${duration(took)}`);
    }
    if (!lines.some(({ text }) => PREDICTION.test(text))) {
      throw new Error("npm start succeeded, but printed no prediction");
    }
    step(`npm start: ${duration(took)} to the prediction`);
  }
}

new Command("npm run test:first-start --")
  .description(
    "Runs npm start in a fresh clone of the last commit with an empty home folder, until the prediction, and prints the duration of each step. Uses the default name and ports of the local cluster, so run npm run lab -- down first. Installed Debian packages are kept.",
  )
  .option("--again", "run npm start a second time, with everything installed")
  .option("--keep", "keep the clone, its caches and its running lab")
  .action(firstStart)
  .parseAsync()
  .catch(fail);
