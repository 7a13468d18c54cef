import type { V1Pod, V1PodSpec } from "@kubernetes/client-node";
import type { StackConfig } from "../../components/config/schema";
import { labels, selectorLabels } from "../../components/kubernetes/labels";
import { container, podTemplate } from "../../components/kubernetes/pod";
import { scratch } from "../../components/kubernetes/security";
import { COPY_RESOURCES } from "../../components/team/data/schema";
import { DATA_DIR } from "../../components/team/training/training-job";

/** The container of the pod. */
export const CONTAINER = "data";

/** Seconds after which the cluster ends the pod, however far a copy is: a second command continues it. */
const LONGEST = 6 * 3600;

/** Milliseconds until the pod must run: a node that has not the image yet pulls it. */
export const START_TIMEOUT = 300_000;

/** A stack's team, and the owner of its objects. */
export type Owner = Pick<StackConfig, "owner"> & {
  readonly team: Pick<NonNullable<StackConfig["team"]>, "name" | "data">;
};

/** What the pods of this command have in common. */
function identity({ owner, team }: Owner) {
  return { name: "data-copy", instance: team.name, component: "data", owner };
}

/** The selector of the pods of this command, those of other users included. */
export function selector(owner: Owner): string {
  return Object.entries(selectorLabels(identity(owner)))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** Where a pod must run so that it can mount the volume: on the node that has mounted it. Default: anywhere. */
export function placement(holder: V1Pod | undefined): Partial<V1PodSpec> {
  if (!holder?.spec?.nodeName) {
    return {};
  }
  const { nodeName, tolerations } = holder.spec;
  const matchFields = [{ key: "metadata.name", operator: "In", values: [nodeName] }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  return {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
    ...(tolerations && { tolerations }),
  };
}

/**
 * A pod that mounts a volume and waits for copies. It is restricted, has no token of the API server, and ends by itself when
 * no copy runs.
 */
export function dataPod(
  owner: Owner,
  { image, claim }: { image: string; claim: string },
  where: Partial<V1PodSpec> = {},
): V1Pod {
  const tmp = scratch("16Mi");
  const template = podTemplate({
    labels: { ...labels(identity(owner)), "app.kubernetes.io/managed-by": "ml-platform" },
    account: "default",
    settings: owner.team.data.pod,
    containers: [
      container({
        name: CONTAINER,
        image,
        command: ["python", "-m", "training.transfer", "wait"],
        env: { DATA_DIR, HOME: "/tmp" },
        resources: COPY_RESOURCES,
        volumeMounts: [{ name: "data", mountPath: DATA_DIR }, tmp.mount],
      }),
    ],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim } }, tmp.volume],
  });
  // Plain values were given, so it has no outputs.
  const { metadata, spec } = template as V1Pod;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, generateName: "data-copy-" },
    spec: {
      ...(spec as V1PodSpec),
      restartPolicy: "Never",
      activeDeadlineSeconds: LONGEST,
      terminationGracePeriodSeconds: 5,
      ...where,
    },
  };
}

/** Whether a pod of an earlier command is left over. A pod in use is Running; it ends by itself when no copy runs. */
export function isLeftOver({ metadata, status }: V1Pod, now = Date.now()): boolean {
  const age = now - (metadata?.creationTimestamp?.getTime() ?? now);
  const { phase = "Pending" } = status ?? {};
  return phase === "Pending" ? age > 2 * START_TIMEOUT : phase !== "Running";
}

/** Why a container will not start without somebody's help; undefined if it has started, or may. */
export function startFailure({ status }: V1Pod): string | undefined {
  const { waiting } = status?.containerStatuses?.[0]?.state ?? {};
  const { reason = "", message = "" } = waiting ?? {};
  if (/BackOff|Invalid|ConfigError/.test(reason)) {
    return `${reason}: ${message}`;
  }
  return status?.phase === "Failed" ? `${status.reason ?? "Failed"}: ${status.message}` : undefined;
}

/** Why a pod does not run yet: as its last warning says, or the scheduler. */
export function delay({ status }: V1Pod, warnings: readonly string[]): string {
  const unscheduled = status?.conditions?.find(
    ({ type, status: met }) => type === "PodScheduled" && met === "False",
  );
  return warnings.at(-1) ?? unscheduled?.message ?? "the node has not started it yet";
}
