import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Identity, labels, podSecurityLabels, selectorLabels } from "../kubernetes/labels";
import { GPU_TOLERATION, requirements } from "../kubernetes/resources";
import { scratch } from "../kubernetes/security";
import type { Install } from "./schema";

const KUBELET_SOCKETS = "/var/lib/kubelet/device-plugins";

export interface DevicePluginArgs {
  /** Namespace of its own: it needs a host path, which `restricted` forbids. */
  namespace: string;
  image: string;
  owner: string;
  settings: Install<"devicePlugin">;
  /** Protects the namespace. */
  retainData: boolean;
}

/** Offers each node's NVIDIA GPUs to the scheduler as `nvidia.com/gpu`. */
export class DevicePlugin extends pulumi.ComponentResource {
  constructor(name: string, args: DevicePluginArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:DevicePlugin", name, {}, opts);
    const identity: Identity = {
      name: "nvidia-device-plugin",
      instance: "nvidia-device-plugin",
      component: "gpu",
      owner: args.owner,
    };
    const child = { parent: this };
    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: args.namespace,
          labels: { ...labels(identity), ...podSecurityLabels("privileged") },
        },
      },
      { ...child, protect: args.retainData },
    );
    const metadata = { namespace: namespace.metadata.name, labels: labels(identity) };
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata, data: { "config.yaml": devicePluginConfig(args.settings) } },
      child,
    );
    new k8s.apps.v1.DaemonSet(
      name,
      {
        metadata,
        spec: {
          selector: { matchLabels: selectorLabels(identity) },
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
          template: {
            metadata: { labels: labels(identity) },
            spec: podSpec(args, account.metadata.name, config.metadata.name),
          },
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
}: Pick<Install<"devicePlugin">, "migStrategy" | "timeSlicing">): string {
  return JSON.stringify(
    {
      version: "v1",
      flags: { migStrategy, failOnInitError: true },
      ...(timeSlicing && {
        sharing: {
          timeSlicing: {
            // A pod that asks for two slices would get no more time than for one.
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
function onGpuNodes(): k8s.types.input.core.v1.Affinity {
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

function podSpec(
  { image, settings }: DevicePluginArgs,
  serviceAccountName: pulumi.Input<string>,
  config: pulumi.Input<string>,
): k8s.types.input.core.v1.PodSpec {
  const tmp = scratch("16Mi");
  const privileged = settings.migStrategy !== "none";
  return {
    serviceAccountName,
    automountServiceAccountToken: false,
    priorityClassName: "system-node-critical",
    affinity: onGpuNodes(),
    nodeSelector: settings.nodeSelector,
    tolerations: [GPU_TOLERATION],
    // The kubelet's socket directory belongs to root.
    securityContext: { runAsUser: 0, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "device-plugin",
        image,
        command: ["nvidia-device-plugin"],
        args: ["--config-file=/config/config.yaml"],
        env: [
          { name: "NVIDIA_VISIBLE_DEVICES", value: "all" },
          { name: "NVIDIA_DRIVER_CAPABILITIES", value: "compute,utility" },
          ...(privileged ? [{ name: "NVIDIA_MIG_MONITOR_DEVICES", value: "all" }] : []),
        ],
        resources: requirements({
          cpu: "20m",
          cpuLimit: "200m",
          memory: "128Mi",
          ephemeralStorage: "64Mi",
        }),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          // Watching MIG devices is the one thing that needs a capability.
          capabilities: { drop: ["ALL"], ...(privileged && { add: ["SYS_ADMIN"] }) },
        },
        volumeMounts: [
          { name: "config", mountPath: "/config", readOnly: true },
          { name: "sockets", mountPath: KUBELET_SOCKETS },
          tmp.mount,
        ],
      },
    ],
    volumes: [
      { name: "config", configMap: { name: config } },
      { name: "sockets", hostPath: { path: KUBELET_SOCKETS, type: "Directory" } },
      tmp.volume,
    ],
  };
}
