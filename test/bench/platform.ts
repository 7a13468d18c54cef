import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trust } from "../../cli/common/http";
import { sendLoad } from "../../cli/stack/load";
import { type LabInfo, resetLab, startLab, stopLab } from "../../lab/cluster/lab";
import { Kubectl } from "../support/kubectl";
import { PlatformStack } from "../support/platform-stack";
import { waitFor } from "../support/wait";
import { imageSize } from "./image-size";

/** Number of load steps; the median of three does not depend on one phase of scrapes and syncs. */
const STEPS = 3;
const TEAM = "demo";
const SELECTOR = ["-n", TEAM, "-l", "app.kubernetes.io/instance=diabetes"];

const rows: [what: string, figure: string][] = [];

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  const result = await work();
  rows.push([what, `${((Date.now() - start) / 1000).toFixed(1)} s`]);
  return result;
}

function median(numbers: number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  return `${(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(1)} s (of ${sorted.map((n) => n.toFixed(0)).join(", ")})`;
}

/** Seconds from a load of three times the target until the autoscaler requests a new pod, and until it is ready. */
async function loadStep(
  kubectl: Kubectl,
  url: string,
): Promise<{ decided: number; ready: number }> {
  const [autoscaler, deployment] = ["hpa", "deployments"].map((kind) => async () => {
    const [object] = await kubectl.list(kind, ...SELECTOR);
    return object?.status ?? {};
  });
  await waitFor(
    "one pod",
    300,
    async () => (await deployment?.())?.readyReplicas,
    (pods) => pods === 1,
  );
  const start = Date.now();
  const since = () => (Date.now() - start) / 1000;
  const load = sendLoad(url, { rate: 150, seconds: 75 });
  await waitFor(
    "a decision",
    75,
    async () => (await autoscaler?.())?.desiredReplicas ?? 0,
    (n) => n > 1,
  );
  const decided = since();
  await waitFor(
    "a new pod",
    75,
    async () => (await deployment?.())?.readyReplicas ?? 0,
    (n) => n > 1,
  );
  const ready = since();
  await load;
  return { decided, ready };
}

async function measureImages(kubectl: Kubectl): Promise<void> {
  const pods = await kubectl.list("pods", "-A", "-l", "app.kubernetes.io/part-of=ml-platform");
  const images = pods.flatMap(({ spec }) => spec?.containers?.map(({ image }) => image) ?? []);
  for (const image of [...new Set(images)].sort()) {
    const { compressed, unpacked } = await imageSize(image);
    const name = image.replace(/^[^/]+\//, "").replace(/[:@].*$/, "");
    rows.push([`Image ${name}`, `${mega(compressed)} compressed, ${mega(unpacked)} unpacked`]);
  }
}

function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

async function measureMemory(kubectl: Kubectl): Promise<void> {
  const usage = () =>
    kubectl.run("top", "pods", "-A", "-l", "app.kubernetes.io/part-of=ml-platform", "--no-headers");
  const lines = (await waitFor("memory", 120, usage, (text) => text.includes("Mi")))
    .trim()
    .split("\n");
  const pods = lines.map((line) => line.trim().split(/\s+/));
  for (const [, pod = "", , memory = ""] of pods) {
    rows.push([`Memory of ${pod.replace(/(-[a-f0-9]{8})?-[a-f0-9]+-\w{5}$/, "")}`, memory]);
  }
  const total = pods.reduce((sum, [, , , memory = "0"]) => sum + Number.parseInt(memory, 10), 0);
  rows.push(["Memory of all pods of the platform and the team", `${total} Mi`]);
}

async function measure(lab: LabInfo, folder: string): Promise<void> {
  const kubectl = await Kubectl.of(lab.kubeconfig);
  const quick = [["team", "models", 0, "autoscale", "scaleDownSeconds"], 15] as const;
  const { open } = await PlatformStack.create(folder, lab, [quick]);
  const { stack, options } = open;
  const { outputs } = await timed("First update, images built", () => stack.up(options));
  trust(outputs.certificateAuthority?.value);
  await timed("Preview without change", () => stack.preview({ ...options, expectNoChanges: true }));
  await timed("Update without change", () => stack.up(options));
  await measureMemory(kubectl);
  await measureImages(kubectl);
  const steps: { decided: number; ready: number }[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    steps.push(await loadStep(kubectl, outputs.models?.value.diabetes));
  }
  rows.push([
    "Load step to the autoscaler's decision",
    median(steps.map(({ decided }) => decided)),
  ]);
  rows.push(["Load step to the first new pod ready", median(steps.map(({ ready }) => ready))]);
  const { color, onOutput } = options;
  await timed("Destroy", () => stack.destroy({ color, onOutput }));
  await timed("Update again, images built before", () => stack.up(options));
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ml-platform-bench-"));
  const where = { name: "bench", folder: join(folder, "lab") };
  try {
    const lab = await timed("A new lab, with tools built before", () =>
      startLab(where, console.log),
    );
    await measure(lab, folder);
    await stopLab(where, console.log);
    await timed("The same lab, started again with its pods", () => startLab(where, console.log));
  } finally {
    await resetLab(where, console.log);
    rmSync(folder, { recursive: true });
  }
  console.log(
    ["", "| What | Figure |", "|---|---|", ...rows.map((row) => `| ${row.join(" | ")} |`)].join(
      "\n",
    ),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
