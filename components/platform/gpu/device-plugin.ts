import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { labels } from "../../kubernetes/labels";
import { podSecurityNamespace } from "../../kubernetes/namespace";
import { container, podTemplate } from "../../kubernetes/pod";
import { GPU_TOLERATION } from "../../kubernetes/resources";
import { scratch } from "../../kubernetes/security";
import { Workload } from "../../kubernetes/workload";
import { devicePluginSettings } from "./schema";

type Settings = z.output<typeof devicePluginSettings>;

const NAME = "nvidia-device-plugin";
const KUBELET_SOCKETS = "/var/lib/kubelet/device-plugins";

export interface DevicePluginArgs extends z.input<typeof devicePluginSettings> {
  /** Namespace, which the component creates: it admits privileged pods, and so must have no others. */
  readonly namespace: pulumi.Input<string>;
  /** Image of the device plugin 0.18. */
  readonly image: pulumi.Input<string>;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /** Protects the namespace from deletion. Default: true. */
  readonly retainData?: boolean;
}

/** Offers the NVIDIA GPUs of each node to the scheduler as `nvidia.com/gpu`. */
export class DevicePlugin extends pulumi.ComponentResource {
  constructor(name: string, args: DevicePluginArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:DevicePlugin", name, {}, opts);
    const { namespace, image, owner = "ml-platform", retainData = true, ...own } = args;
    const settings = parseArgs(devicePluginSettings, own, name);
    const child = { parent: this };
    const identity = { name: NAME, instance: NAME, component: "gpu", owner };
    const created = podSecurityNamespace(
      `${name}-namespace`,
      namespace,
      labels(identity),
      "privileged",
      { ...child, protect: retainData },
    );

    const workload = new Workload(name, created.metadata.name, identity, child);
    const account = workload.serviceAccount();
    const config = workload.configFiles({ "config.yaml": devicePluginConfig(settings) });
    new k8s.apps.v1.DaemonSet(
      name,
      {
        metadata: workload.metadata,
        spec: {
          selector: { matchLabels: workload.selector },
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
          template: pluginPod(image, settings, workload, {
            account: account.metadata.name,
            config: config.metadata.name,
          }),
        },
      },
      child,
    );
    this.registerOutputs({});
  }
}

/** The plugin's configuration file, version 1 of its format, as JSON. */
export function devicePluginConfig({
  migStrategy,
  timeSlicing,
}: Pick<Settings, "migStrategy" | "timeSlicing">): string {
  return JSON.stringify(
    {
      version: "v1",
      flags: { migStrategy, failOnInitError: true },
      ...(timeSlicing && {
        sharing: {
          timeSlicing: {
            // A pod that requests two slices would get no more time than with one.
            failRequestsGreaterThanOne: true,
            resources: [{ name: "nvidia.com/gpu", replicas: timeSlicing }],
          },
        },
      }),
    },
    null,
    2,
  );
}

/** Nodes with a GPU, by any of the labels that GPU feature discovery, node feature discovery or an administrator sets. */
function gpuNodes(): k8s.types.input.core.v1.Affinity {
  const present = {
    "nvidia.com/gpu.present": "true",
    "feature.node.kubernetes.io/pci-10de.present": "true",
  };
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: Object.entries(present).map(([key, value]) => ({
          matchExpressions: [{ key, operator: "In", values: [value] }],
        })),
      },
    },
  };
}

function pluginPod(
  image: pulumi.Input<string>,
  { migStrategy, pod }: Settings,
  workload: Workload,
  names: Record<"account" | "config", pulumi.Input<string>>,
): k8s.types.input.core.v1.PodTemplateSpec {
  const tmp = scratch("16Mi");
  const mig = migStrategy !== "none";
  return podTemplate({
    labels: workload.labels,
    account: names.account,
    tolerations: [GPU_TOLERATION],
    settings: {
      ...pod,
      affinity: pod.affinity ?? gpuNodes(),
      priorityClassName: pod.priorityClassName ?? "system-node-critical",
    },
    containers: [
      container({
        name: "device-plugin",
        image,
        command: ["nvidia-device-plugin"],
        args: ["--config-file=/config/config.yaml"],
        env: {
          NVIDIA_VISIBLE_DEVICES: "all",
          NVIDIA_DRIVER_CAPABILITIES: "compute,utility",
          ...(mig && { NVIDIA_MIG_MONITOR_DEVICES: "all" }),
        },
        resources: { cpu: "20m", cpuLimit: "200m", memory: "128Mi", ephemeralStorage: "64Mi" },
        // Not restricted: the pod runs as root, and needs a capability to watch MIG devices.
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"], ...(mig && { add: ["SYS_ADMIN"] }) },
        },
        volumeMounts: [
          { name: "config", mountPath: "/config", readOnly: true },
          { name: "sockets", mountPath: KUBELET_SOCKETS },
          tmp.mount,
        ],
      }),
    ],
    volumes: [
      { name: "config", configMap: { name: names.config } },
      { name: "sockets", hostPath: { path: KUBELET_SOCKETS, type: "Directory" } },
      tmp.volume,
    ],
    spec: {
      // Not restricted: the kubelet's socket directory belongs to root.
      securityContext: { runAsUser: 0, seccompProfile: { type: "RuntimeDefault" } },
      // The plugin reads no such variables, and a change would restart it on every node.
      enableServiceLinks: undefined,
    },
  });
}
