import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import Table from "cli-table3";
import { Command } from "commander";
import { environment } from "../../../cli/stack";
import { RESOURCE_GROUPS } from "../../../policy/engine/policies";
import { Run } from "../../../policy/engine/run";
import type { Resource } from "../../../policy/model/resource";
import { RULES } from "../../../policy/rules/list";
import { ensurePulumi, policyPack } from "../../../toolchain/pulumi";
import { resourceOf } from "../harness";
import { Analyzer, resourceRequest, stackRequest } from "./analyzer";
import { objects, program } from "./program";

const PACK = join(__dirname, "../../../policy");
/** A pack without rules: its cost is that of the engine. */
const EMPTY = join(__dirname, "empty");
const CONFIG = join(__dirname, "config.json");

/** Medians of several runs, in milliseconds. */
interface Cost {
  readonly resources: number;
  /** A preview without a pack, with an empty one, and with ours. */
  readonly without: number;
  readonly empty: number;
  readonly full: number;
  /** The time of the pack's process to start, for all resources, and for the stack. */
  readonly start: number;
  readonly own: number;
  readonly stack: number;
  /** The time of the rules in `own`; the rest is the SDK, which decodes each resource for each policy. */
  readonly rules: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

type Previews = Pick<Cost, "without" | "empty" | "full">;

/** Previews with and without the packs, alternating, so that other load affects all of them. */
async function previews(stack: Stack, runs: number): Promise<Previews> {
  const packs = { without: [], empty: [policyPack(EMPTY)], full: [policyPack(PACK)] };
  const times: Record<keyof Previews, number[]> = { without: [], empty: [], full: [] };
  await stack.preview();
  for (let run = 0; run < runs; run += 1) {
    for (const kind of ["without", "empty", "full"] as const) {
      times[kind].push(await milliseconds(() => stack.preview({ policyPacks: packs[kind] })));
    }
  }
  return {
    without: median(times.without),
    empty: median(times.empty),
    full: median(times.full),
  };
}

function resourcesFor(count: number): Resource[] {
  return objects(count).map((value, index) =>
    resourceOf(value, { name: `resource-${index}`, protect: value.kind === "Namespace" }),
  );
}

/** The time of the pack's process, with one request after the other. */
async function ownTime(count: number): Promise<Pick<Cost, "start" | "own" | "stack">> {
  const resources = resourcesFor(count);
  const began = performance.now();
  const analyzer = await Analyzer.start();
  const start = performance.now() - began;
  try {
    const requests = resources.map(resourceRequest);
    const evaluateAll = async () => {
      for (const request of requests) {
        await analyzer.analyze(request);
      }
    };
    // Warms up the JIT compiler.
    await evaluateAll();
    const own = await milliseconds(evaluateAll);
    return {
      start,
      own,
      stack: await milliseconds(() => analyzer.analyzeStack(stackRequest(resources))),
    };
  } finally {
    analyzer.stop();
  }
}

/** The time of the rules for all resources, in this process. */
async function rulesTime(count: number): Promise<number> {
  const resources = resourcesFor(count);
  const evaluateAll = async () => {
    const run = new Run("cost", RULES);
    for (const resource of resources) {
      run.add(resource);
      for (const group of RESOURCE_GROUPS) {
        await run.evaluate(group, resource.urn);
      }
    }
  };
  await evaluateAll();
  return milliseconds(evaluateAll);
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
    const own = { ...(await ownTime(count)), rules: await rulesTime(count) };
    return { resources: count, ...(await previews(stack, runs)), ...own };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Options {
  readonly counts: string;
  readonly runs: string;
  readonly kubeconfig?: string;
}

async function measure(options: Options): Promise<void> {
  process.env.ML_PLATFORM_POLICY_CONFIG = CONFIG;
  // As in all commands of the project; plugins are found on our PATH.
  Object.assign(process.env, environment(await ensurePulumi(console.error), false));
  const table = new Table({
    head: ["resources", "preview", "empty pack", "this pack", "start", "each", "rules", "stack"],
    style: { head: [], border: [], compact: true },
  });
  const seconds = (time: number) => `${(time / 1000).toFixed(2)} s`;
  for (const count of options.counts.split(",").map(Number)) {
    const one = await cost(count, Number(options.runs), options.kubeconfig);
    table.push([
      one.resources,
      ...[one.without, one.empty, one.full, one.start].map(seconds),
      ...[one.own, one.rules].map((time) => `${(time / one.resources).toFixed(2)} ms`),
      `${one.stack.toFixed(0)} ms`,
    ]);
  }
  console.log(table.toString());
}

void new Command("policy-cost")
  .description("Measures what the policy pack adds to previews.")
  .option("--counts <numbers>", "resources of a stack", "50,200,500")
  .option("--runs <number>", "number of previews of each kind, of which the median is used", "5")
  .option("--kubeconfig <file>", "preview against this cluster, instead of writing files")
  .action(measure)
  .parseAsync();
