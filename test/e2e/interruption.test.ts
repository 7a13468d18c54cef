import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabInfo, labStatus, resetLab, startLab } from "../../lab/cluster/lab";
import { Kubectl } from "../support/kubectl";
import { type Changes, PlatformStack } from "../support/platform-stack";
import { CommandProcess } from "../support/process-tree";
import { generator } from "../support/random";

const MINUTE = 60_000;
/** Updates that are killed. `npm run test:interruption` kills ten. */
const KILLS = Number(process.env.KILLS ?? 3);
/** Decides the moments. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const STACK = "test/support/stack-process.ts";

/** A team with its MLflow and a training job, each time a new one, on a platform without metrics: seconds, not minutes. */
const team = (name: string): Changes => [
  [["platform", "gateway"], { mode: "off" }],
  [["platform", "prometheus"], { mode: "off" }],
  [["platform", "metricsAdapter"], { mode: "off" }],
  [["team", "name"], name],
  [["team", "models"], [{ name: "diabetes", autoscale: { kind: "none", replicas: 1 } }]],
];

/** What the program makes, of every kind that it has. */
const KINDS = [
  ...["namespaces", "serviceaccounts", "secrets", "configmaps", "persistentvolumeclaims"],
  ...["services", "deployments", "jobs", "ingresses", "networkpolicies", "roles", "rolebindings"],
  ...["clusterroles", "clusterrolebindings", "resourcequotas", "limitranges"],
  ...["horizontalpodautoscalers", "poddisruptionbudgets"],
].join(",");
const OURS = "app.kubernetes.io/part-of=ml-platform";

describe("a command that is interrupted", () => {
  const folder = mkdtempSync(join(tmpdir(), "ml-platform-intr-"));
  const where = { name: `intr-${process.pid.toString(36)}`, folder: join(folder, "lab") };
  let lab: LabInfo;
  let kubectl: Kubectl;
  let platform: PlatformStack;
  /** Objects of an undisturbed update, and how long the engine was at it. */
  let undisturbed: { objects: string[]; milliseconds: number };

  const labCommand = (what: string) =>
    new CommandProcess("lab/cli.ts", [what, "--name", where.name, "--folder", where.folder]);
  const update = () => new CommandProcess(STACK, [folder, "update"]);

  /** Kind and name of each object, without what Pulumi has made up and whose team it is. */
  async function objects(teamName: string): Promise<string[]> {
    const list = await kubectl.list(KINDS, "-A", "-l", OURS);
    const plain = (name: string) => name.replace(/-[0-9a-f]{8}$/, "").replaceAll(teamName, "TEAM");
    return list.map(({ kind, metadata }) => `${kind} ${plain(metadata.name)}`).sort();
  }

  /** The most pods of a team's MLflow that were there at one time while something was done. */
  async function mostTrackingPods(teamName: string, work: () => Promise<void>): Promise<number> {
    let most = 0;
    let over = false;
    const watching = (async () => {
      while (!over) {
        const pods = await kubectl.list(
          "pods",
          "-n",
          teamName,
          "-l",
          "app.kubernetes.io/name=mlflow",
        );
        most = Math.max(most, pods.length);
        await setTimeout(200);
      }
    })();
    try {
      await work();
    } finally {
      over = true;
    }
    await watching;
    return most;
  }

  beforeAll(async () => {
    // Killed in its midst, the lab is started by the next command.
    const first = labCommand("up");
    await first.says("etcd: started", 60 * 60);
    await first.kill();
    lab = await startLab(where, console.log);
    kubectl = await Kubectl.of(lab.kubeconfig);
    platform = await PlatformStack.create(folder, lab, []);
  }, 60 * MINUTE);

  afterAll(async () => {
    await resetLab(where, console.log);
    rmSync(folder, { recursive: true });
  }, 5 * MINUTE);

  it(
    "an update: one Ctrl-C ends it cleanly, and the next one finishes it",
    async () => {
      platform.configure(...team("team0"));
      const interrupted = update();
      await interrupted.says("demo", 10 * 60);
      const started = Date.now();
      expect(await update().ended()).toBe(0);
      undisturbed = { objects: await objects("team0"), milliseconds: Date.now() - started };
    },
    10 * MINUTE,
  );
});
