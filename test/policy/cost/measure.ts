import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import Table from "cli-table3";
import { Command } from "commander";
import { resourceOf } from "../harness";
import { Analyzer } from "./analyzer";
import { objects, program } from "./program";

const PACK = join(__dirname, "../../../policy");
const CONFIG = join(__dirname, "config.json");

/** Medians of some runs, in milliseconds. */
interface Cost {
  readonly resources: number;
  readonly without: number;
  readonly with: number;
  /** The pack's own time for all resources, and for the stack. */
  readonly own: number;
  readonly stack: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Previews side by side, with the pack and without: what else the machine does hits both. */
async function previews(stack: Stack, runs: number): Promise<Pick<Cost, "with" | "without">> {
  const times: { with: number[]; without: number[] } = { with: [], without: [] };
  await stack.preview();
  for (let run = 0; run < runs; run += 1) {
    times.without.push(await milliseconds(() => stack.preview()));
    times.with.push(await milliseconds(() => stack.preview({ policyPacks: [PACK] })));
  }
  return { with: median(times.with), without: median(times.without) };
}

/** The time that the pack's process takes, asked one by one. */
async function ownTime(count: number): Promise<Pick<Cost, "own" | "stack">> {
  const resources = objects(count).map((value, index) =>
    resourceOf(value, { name: `resource-${index}`, protect: value.kind === "Namespace" }),
  );
  const analyzer = await Analyzer.start();
  try {
    const judgeAll = async () => {
      for (const resource of resources) {
        await analyzer.analyze(resource);
      }
    };
    // Until the compiler of the runtime knows the code.
    await judgeAll();
    const own = await milliseconds(judgeAll);
    return { own, stack: await milliseconds(() => analyzer.analyzeStack(resources)) };
  } finally {
    analyzer.stop();
  }
}

async function cost(count: number, runs: number, kubeconfig?: string): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), "policy-cost-"));
  const provider = kubeconfig
    ? { kubeconfig: readFileSync(kubeconfig, "utf8") }
    : { renderYamlToDirectory: join(folder, "objects") };
  try {
    const stack = await LocalWorkspace.createOrSelectStack(
      {
        stackName: "cost",
        projectName: "policy-cost",
        program: program(objects(count), provider),
      },
      {
        workDir: folder,
        envVars: { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "cost" },
      },
    );
    return { resources: count, ...(await previews(stack, runs)), ...(await ownTime(count)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Options {
  counts: string;
  runs: string;
  kubeconfig?: string;
}

async function measure(options: Options): Promise<void> {
  process.env.ML_PLATFORM_POLICY_CONFIG = CONFIG;
  const table = new Table({
    head: ["resources", "preview", "with the pack", "share", "own, each", "own, stack"],
    style: { head: [], border: [], compact: true },
  });
  for (const count of options.counts.split(",").map(Number)) {
    const {
      resources,
      without,
      with: checked,
      own,
      stack,
    } = await cost(count, Number(options.runs), options.kubeconfig);
    const share = (checked - without) / checked;
    table.push([
      resources,
      `${(without / 1000).toFixed(2)} s`,
      `${(checked / 1000).toFixed(2)} s`,
      `${(share * 100).toFixed(0)} %`,
      `${(own / resources).toFixed(2)} ms`,
      `${stack.toFixed(0)} ms`,
    ]);
  }
  console.log(table.toString());
}

void new Command("policy-cost")
  .description(
    "Measures what the policy pack adds to previews; pulumi and its plugins are on PATH.",
  )
  .option("--counts <numbers>", "resources of a stack", "50,200,500")
  .option("--runs <number>", "previews of each kind, of which the median counts", "5")
  .option("--kubeconfig <file>", "preview against this cluster, in place of writing files")
  .action(measure)
  .parseAsync();
