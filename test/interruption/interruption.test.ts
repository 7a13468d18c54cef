import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readState } from "../../cli/stack/state";
import { type LabInfo, resetLab, startLab } from "../../lab/cluster/lab";
import { Kubectl } from "../support/kubectl";
import { type Changes, PlatformStack } from "../support/platform-stack";
import { CommandProcess } from "../support/process-tree";

const MINUTE = 60_000;
/** Number of updates that are killed. `npm run test:interruption` kills ten. */
const KILLS = Number(process.env.KILLS ?? 3);
/** Seed of the random moments. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const THOUSAND = 1000;
/** Moments in thousandths of the duration of an update: one in each of KILLS equal intervals. */
const MOMENTS = fc
  .sample(fc.noBias(fc.nat(THOUSAND - 1)), { seed: SEED, numRuns: KILLS })
  .map((part, index) => (index + part / THOUSAND) / KILLS);

/** All kinds of objects that the program creates. */
const KINDS = [
  ...["namespaces", "serviceaccounts", "secrets", "configmaps", "persistentvolumeclaims"],
  ...["services", "deployments", "jobs", "ingresses", "networkpolicies", "roles", "rolebindings"],
  ...["clusterroles", "clusterrolebindings", "resourcequotas", "limitranges"],
  ...["horizontalpodautoscalers", "poddisruptionbudgets"],
].join(",");
const OURS = "app.kubernetes.io/part-of=ml-platform";
const TRACKING = "app.kubernetes.io/name=mlflow";

/** A complete team, on a platform without metrics, which would double the time. */
function team(name: string, ...more: Changes): Changes {
  const off = { mode: "off" };
  return [
    [["platform", "gateway"], off],
    [["platform", "prometheus"], off],
    [["platform", "metricsAdapter"], off],
    [["team", "name"], name],
    [["team", "models", 0, "autoscale"], { kind: "none", replicas: 1 }],
    ...more,
  ];
}

describe("an interrupted command", () => {
  const folder = mkdtempSync(join(tmpdir(), "ml-platform-intr-"));
  const where = { name: `intr-${process.pid.toString(36)}`, folder: join(folder, "lab") };
  let lab: LabInfo;
  let kubectl: Kubectl;
  let platform: PlatformStack;
  /** Objects of an update without interruption, and its duration in the engine, in milliseconds. */
  let undisturbed: { objects: string[]; took: number };

  const labCommand = (what: string) =>
    new CommandProcess("cli/main.ts", [
      "lab",
      what,
      "--name",
      where.name,
      "--folder",
      where.folder,
    ]);
  const stackCommand = (what: "update" | "destroy") =>
    new CommandProcess("test/support/stack-process.ts", [folder, what]);

  const locks = () => {
    const place = join(folder, "state/.pulumi/locks/organization/ml-platform/e2e");
    return existsSync(place) ? readdirSync(place) : [];
  };
  const pending = async () =>
    (await readState(platform.open)).deployment.pending_operations?.length ?? 0;

  /** Kind and name of each object, without Pulumi's random suffix and the name of the team. */
  async function objects(teamName: string): Promise<string[]> {
    const plain = (name: string) => name.replace(/-[0-9a-f]{8}$/, "").replaceAll(teamName, "TEAM");
    return (await kubectl.list(KINDS, "-A", "-l", OURS))
      .map(({ kind, metadata }) => `${kind} ${plain(metadata.name)}`)
      .sort();
  }

  /** Maximum number of concurrent MLflow pods of a team during some work. */
  async function mostTrackingPods(teamName: string, work: () => Promise<void>): Promise<number> {
    const over = new AbortController();
    const watch = async () => {
      for (let most = 0; ; await setTimeout(200)) {
        if (over.signal.aborted) {
          return most;
        }
        most = Math.max(most, (await kubectl.list("pods", "-n", teamName, "-l", TRACKING)).length);
      }
    };
    const watched = watch();
    await work().finally(() => over.abort());
    return watched;
  }

  beforeAll(async () => {
    console.log(`SEED=${SEED} KILLS=${KILLS}`);
    // The next start completes a killed one.
    const first = labCommand("up");
    await first.waitForOutput("etcd: started", 60 * 60);
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
    "stops an update cleanly after one signal, and the next update completes it",
    async () => {
      platform.configure(...team("first"));
      const interrupted = stackCommand("update");
      await interrupted.waitForOutput("updating", 2 * 60);
      // The update has started, and images are still being built.
      await interrupted.waitForOutput("first-images-serving creating", 60);
      process.kill(interrupted.pid, "SIGINT");
      expect(await interrupted.exitCode()).toBe(130);
      expect(interrupted.output).toContain("operations in progress are finished or recorded");
      expect({ locks: locks(), pending: await pending() }).toEqual({ locks: [], pending: 0 });
      expect(await stackCommand("update").exitCode()).toBe(0);
    },
    10 * MINUTE,
  );

  it(
    "has no effect on a later update",
    async () => {
      platform.configure(...team("second"));
      const update = stackCommand("update");
      await update.waitForOutput("updating", 2 * 60);
      const start = Date.now();
      expect(await update.exitCode()).toBe(0);
      undisturbed = { objects: await objects("second"), took: Date.now() - start };
      console.log(`undisturbed: ${undisturbed.objects.length} objects, ${undisturbed.took} ms`);
    },
    5 * MINUTE,
  );

  it.each(MOMENTS.map((moment, round) => ({ moment, round })))(
    "that is killed after $moment of an update is completed by the next one, without duplicate objects",
    async ({ moment, round }) => {
      const name = `killed${round}`;
      platform.configure(...team(name));
      const most = await mostTrackingPods(name, async () => {
        const killed = stackCommand("update");
        await killed.waitForOutput("updating", 2 * 60);
        await setTimeout(moment * undisturbed.took);
        await killed.kill();
        console.log(`killed at ${moment}: ${await pending()} operations pending, ${locks()}`);
        expect(await stackCommand("update").exitCode()).toBe(0);
      });
      expect({ most, objects: await objects(name) }).toEqual({
        most: 1,
        objects: undisturbed.objects,
      });
      const { stack, options } = platform.open;
      await stack.preview({ ...options, onOutput: () => {}, expectNoChanges: true });
    },
    5 * MINUTE,
  );

  it(
    "that destroys a stack deletes nothing if the stack protects its data, and is otherwise completed by the next one",
    async () => {
      const last = `killed${KILLS - 1}`;
      platform.configure(...team(last, [["retainData"], true]));
      expect(await stackCommand("update").exitCode()).toBe(0);
      const refused = stackCommand("destroy");
      expect(await refused.exitCode()).toBe(1);
      expect(refused.output).toMatch(
        /stack e2e protects its data, and nothing was deleted: .*store/,
      );
      expect(await objects(last)).toEqual(undisturbed.objects);

      platform.configure(...team(last));
      expect(await stackCommand("update").exitCode()).toBe(0);
      const killed = stackCommand("destroy");
      await killed.waitForOutput("deleted", 2 * 60);
      await killed.kill();
      expect(await stackCommand("destroy").exitCode()).toBe(0);
      expect({ left: await objects(last), locks: locks() }).toEqual({ left: [], locks: [] });
    },
    5 * MINUTE,
  );

  it(
    "that stops the lab is completed by the next one",
    async () => {
      const killed = labCommand("down");
      await setTimeout(2000);
      await killed.kill();
      expect(await labCommand("down").exitCode()).toBe(0);
      const mounts = readFileSync("/proc/mounts", "utf8");
      expect(mounts).not.toContain(where.name);
    },
    MINUTE,
  );
});
