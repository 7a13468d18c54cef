import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import {
  CoreV1Api,
  Exec,
  type KubeConfig,
  type V1Pod,
  type V1Status,
} from "@kubernetes/client-node";
import { answer } from "../../components/kubernetes/client";
import { Channel, ConnectionLostError } from "./channel";
import {
  CONTAINER,
  dataPod,
  delay,
  isLeftOver,
  type Owner,
  placement,
  START_TIMEOUT,
  selector,
  startFailure,
} from "./pod";

/** The image and the claim of a team's volume. */
export interface Volume {
  readonly image: string;
  readonly claim: string;
}

/** The pods of this command in the namespace of a team. */
export class DataPods {
  private readonly api: CoreV1Api;
  private readonly namespace: string;

  constructor(
    private readonly config: KubeConfig,
    private readonly owner: Owner,
  ) {
    this.api = config.makeApiClient(CoreV1Api);
    this.namespace = owner.team.name;
  }

  private ask<T>(request: () => Promise<T>): Promise<T> {
    return answer(this.config, request) as Promise<T>;
  }

  /** Deletes the pods that earlier commands have left. */
  async removeLeftOver(): Promise<void> {
    const { api, namespace, owner } = this;
    const { items } = await this.ask(() =>
      api.listNamespacedPod({ namespace, labelSelector: selector(owner) }),
    );
    for (const { metadata } of items.filter((pod) => isLeftOver(pod))) {
      await this.remove(metadata?.name ?? "");
    }
  }

  /** Deletes a pod, which may be gone already. */
  async remove(name: string): Promise<void> {
    const { api, config, namespace } = this;
    await answer(config, () => api.deleteNamespacedPod({ name, namespace }), 404);
  }

  /** Creates a pod that mounts a volume. @returns its name */
  async create(volume: Volume): Promise<string> {
    const { api, namespace, owner } = this;
    const body = dataPod(owner, volume, placement(await this.holder(volume.claim)));
    const { metadata } = await this.ask(() => api.createNamespacedPod({ namespace, body }));
    return metadata?.name ?? "";
  }

  /** A running pod that has mounted a volume that one node mounts at a time. */
  private async holder(claim: string): Promise<V1Pod | undefined> {
    const { api, namespace } = this;
    const { spec } = await this.ask(() =>
      api.readNamespacedPersistentVolumeClaim({ name: claim, namespace }),
    );
    if (spec?.accessModes?.includes("ReadWriteMany")) {
      return undefined;
    }
    const { items } = await this.ask(() =>
      api.listNamespacedPod({ namespace, fieldSelector: "status.phase=Running" }),
    );
    return items.find(({ spec }) =>
      spec?.volumes?.some((one) => one.persistentVolumeClaim?.claimName === claim),
    );
  }

  /**
   * Waits until a pod runs.
   * @throws Error with the reason, where it cannot or does not in time
   */
  async ready(name: string, signal: AbortSignal, timeout = START_TIMEOUT): Promise<void> {
    const { api, namespace } = this;
    const deadline = Date.now() + timeout;
    for (;;) {
      signal.throwIfAborted();
      const pod = await this.ask(() => api.readNamespacedPod({ name, namespace }));
      if (pod.status?.containerStatuses?.[0]?.state?.running) {
        return;
      }
      const failure = startFailure(pod);
      if (failure) {
        throw new Error(`pod ${name} does not start: ${failure}`);
      }
      if (Date.now() > deadline) {
        const why = delay(pod, await this.warnings(name));
        throw new Error(
          `pod ${name} does not run after ${timeout / 1000} s: ${why}; if another node uses the volume, try again when its pods have ended`,
        );
      }
      await setTimeout(500);
    }
  }

  private async warnings(name: string): Promise<string[]> {
    const { api, namespace } = this;
    const fieldSelector = `involvedObject.name=${name},type=Warning`;
    const { items } = await this.ask(() => api.listNamespacedEvent({ namespace, fieldSelector }));
    return items.map(({ reason, message }) => `${reason}: ${message}`);
  }

  /** Starts a process of `training.transfer` in a pod. */
  async start(name: string, args: readonly string[]): Promise<Channel> {
    const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const { promise, resolve } = Promise.withResolvers<Error>();
    let reason = "";
    errors.on("data", (text: Buffer) => {
      reason += text;
    });
    const command = ["python", "-m", "training.transfer", ...args];
    const socket = await new Exec(this.config)
      .exec(this.namespace, name, CONTAINER, command, output, errors, input, false, (status) =>
        resolve(endOf(status, reason.trim())),
      )
      .catch(({ message }: Error) => {
        const why = `no connection to pod ${name}: ${message}`;
        // A status of the API server that a second request gets as well, such as 403.
        throw /response: 4\d\d$/.test(message) ? new Error(why) : new ConnectionLostError(why);
      });
    socket.addEventListener("close", () => {
      resolve(new ConnectionLostError("the connection to the pod has ended"));
      output.end();
    });
    return new Channel(input, output, promise, (now) =>
      now ? socket.terminate() : socket.close(),
    );
  }
}

/** Why a process has ended: what it has said, else what the cluster says. */
function endOf({ status, message }: V1Status, reason: string): Error {
  if (status === "Success") {
    return new Error("the process in the pod has ended too early");
  }
  const missing = /No module named '?training.transfer/.test(reason);
  return new Error(
    missing
      ? "the training image of the stack has no module training.transfer; update the stack first"
      : reason || `${message}`,
  );
}
