import type { Kubectl, KubernetesObject } from "../../support/kubectl";
import { waitFor } from "../../support/wait";

/** Number of pods without disruptions. */
export const PODS = 2;

/** Disruptions of a model's pods; each waits until all pods are ready again. */
export class Disruptions {
  constructor(
    private readonly kubectl: Kubectl,
    private readonly team: string,
    private readonly deployment: string,
    private readonly selector: string,
  ) {}

  /** Replaces every pod, as a change of the pod template does. */
  async rollout(): Promise<void> {
    await this.replacing(() =>
      this.kubectl.run("rollout", "restart", "-n", this.team, this.deployment),
    );
  }

  /** Scales to twice as many pods, and back. */
  async scaleDown(): Promise<void> {
    await this.scale(2 * PODS);
    await this.scale(PODS);
  }

  /** Kills the processes of one pod without a termination signal. */
  async kill(): Promise<void> {
    const [pod] = await this.list();
    const name = pod?.metadata.name ?? "";
    const now = ["--grace-period=0", "--force", "--wait=false"];
    await this.kubectl.run("delete", "pod", "-n", this.team, name, ...now);
    await this.settled(PODS);
  }

  /**
   * Drains the model's pods from the node. It is the only node: it accepts pods again as soon as the drain has started,
   * which continues to evict the existing pods.
   */
  async drain(): Promise<void> {
    const [node] = await this.kubectl.list("nodes");
    const name = node?.metadata.name ?? "";
    const only = [
      `--pod-selector=${this.selector}`,
      "--ignore-daemonsets",
      "--delete-emptydir-data",
    ];
    const cordoned = () =>
      this.kubectl.run("get", "node", name, "-o", "jsonpath={.spec.unschedulable}");
    await this.replacing(async () => {
      const drained = this.kubectl.run("drain", name, ...only, "--timeout=120s");
      await waitFor("the drain", 30, cordoned, (text) => text === "true");
      await this.kubectl.run("uncordon", name);
      await drained;
    });
  }

  /** Removes the settings that prevent lost requests: readiness probe, preStop hook, and grace period. */
  async removeSafeguards(): Promise<void> {
    const container = { name: "model", lifecycle: null, readinessProbe: null, startupProbe: null };
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
    const patch = JSON.stringify({ spec: { template: { spec } } });
    await this.kubectl.run("patch", "-n", this.team, this.deployment, "--patch", patch);
    await this.settled(PODS);
  }

  private async scale(pods: number): Promise<void> {
    await this.kubectl.run("scale", "-n", this.team, this.deployment, `--replicas=${pods}`);
    await this.settled(pods);
  }

  /** Waits until the new pods are ready and the old ones are gone. */
  private async settled(pods: number): Promise<void> {
    const status = ["rollout", "status", "-n", this.team, this.deployment, "--timeout=120s"];
    await this.kubectl.run(...status);
    const list = () => this.list();
    await waitFor(`${pods} pods`, 120, list, ({ length }) => length === pods);
  }

  /** @throws Error if one of the pods still exists after the work that replaces them */
  private async replacing(work: () => Promise<unknown>): Promise<void> {
    const uids = async () => (await this.list()).map(({ metadata }) => metadata.uid);
    const before = new Set(await uids());
    await work();
    await this.settled(PODS);
    const left = (await uids()).filter((uid) => before.has(uid));
    if (left.length > 0) {
      throw new Error(`${left.length} of ${PODS} pods were not replaced`);
    }
  }

  private list(): Promise<KubernetesObject[]> {
    return this.kubectl.list("pods", "-n", this.team, "-l", this.selector);
  }
}
