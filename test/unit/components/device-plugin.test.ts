import { beforeAll, describe, expect, test } from "vitest";
import { devicePluginConfig } from "../../../components/platform/gpu/device-plugin";
import { declare } from "../../support/declare";
import type { Inputs, Registration } from "../../support/mocks";
import { only } from "../../support/objects";
import { imageLock } from "../../support/stacks";

function declared(settings: Inputs = {}): Promise<Registration[]> {
  const platform = {
    prometheus: { mode: "off" },
    metricsAdapter: { mode: "off" },
    devicePlugin: { mode: "install", ...settings },
  };
  return declare({ config: { platform, images: { lock: imageLock() } } });
}

let all: Registration[];
let pod: Inputs;

beforeAll(async () => {
  all = await declared({ pod: { nodeSelector: { "ml-platform/pool": "gpu" } }, timeSlicing: 4 });
  pod = only(all, "DaemonSet").inputs.spec.template.spec;
});

describe("the configuration of the device plugin", () => {
  test("offers whole GPUs without time-slicing", () => {
    expect(JSON.parse(devicePluginConfig({ migStrategy: "none" }))).toEqual({
      version: "v1",
      flags: { migStrategy: "none", failOnInitError: true },
    });
  });

  test("shares each GPU among as many containers as configured, one slice each", () => {
    const { sharing } = JSON.parse(devicePluginConfig({ migStrategy: "none", timeSlicing: 4 }));
    expect(sharing).toEqual({
      timeSlicing: {
        failRequestsGreaterThanOne: true,
        resources: [{ name: "nvidia.com/gpu", replicas: 4 }],
      },
    });
  });

  test("is mounted at the path in the plugin's arguments", () => {
    const [{ args, volumeMounts }] = pod.containers;
    const { name, mountPath } = volumeMounts.find(({ name }: Inputs) => name === "config");
    expect(args).toEqual([`--config-file=${mountPath}/config.yaml`]);
    const { configMap } = pod.volumes.find((volume: Inputs) => volume.name === name);
    const map = only(all, "ConfigMap");
    expect(configMap.name).toBe(`${map.name}-autonamed`);
    expect(JSON.parse(map.inputs.data["config.yaml"]).sharing.timeSlicing.resources).toHaveLength(
      1,
    );
  });
});

test("the plugin runs on nodes with one of two GPU labels and the configured node selector", () => {
  const { nodeSelectorTerms } =
    pod.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  // A node must match one of the terms, but all expressions of a term.
  expect(nodeSelectorTerms).toEqual(
    ["nvidia.com/gpu.present", "feature.node.kubernetes.io/pci-10de.present"].map((key) => ({
      matchExpressions: [{ key, operator: "In", values: ["true"] }],
    })),
  );
  expect(pod.nodeSelector).toEqual({ "ml-platform/pool": "gpu" });
});

test("the plugin tolerates the taint of GPU nodes, and no other", () => {
  expect(pod.tolerations).toEqual([
    { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
  ]);
  expect(pod.priorityClassName).toBe("system-node-critical");
});

test("the plugin mounts the kubelet's socket directory, and nothing else of its node", () => {
  const hostPaths = pod.volumes.flatMap(({ hostPath }: Inputs) => hostPath ?? []);
  expect(hostPaths).toEqual([{ path: "/var/lib/kubelet/device-plugins", type: "Directory" }]);
  expect(pod).not.toHaveProperty("hostNetwork");
  expect(pod).not.toHaveProperty("hostPID");
  expect(pod.automountServiceAccountToken).toBe(false);
});

test("the plugin has a namespace of its own, as `restricted` forbids host paths", () => {
  const { metadata } = only(all, "Namespace", "device-plugin-namespace").inputs;
  expect(metadata.name).toBe("ml-platform-gpu");
  expect(metadata.labels["pod-security.kubernetes.io/enforce"]).toBe("privileged");
  expect(only(all, "DaemonSet").inputs.metadata.namespace).toBe("ml-platform-gpu");
  const other = only(all, "Namespace", "platform-namespace").inputs.metadata;
  expect(other.labels["pod-security.kubernetes.io/enforce"]).toBe("restricted");
});

test.each([
  ["none", undefined, false],
  ["single", ["SYS_ADMIN"], true],
  ["mixed", ["SYS_ADMIN"], true],
])(
  "with the MIG strategy %s the plugin has the capabilities %j",
  async (migStrategy, add, monitors) => {
    const { spec } = only(await declared({ migStrategy }), "DaemonSet").inputs.spec.template;
    const [{ securityContext, env }] = spec.containers;
    expect(securityContext.capabilities).toEqual({ drop: ["ALL"], ...(add && { add }) });
    expect(env.some(({ name }: Inputs) => name === "NVIDIA_MIG_MONITOR_DEVICES")).toBe(monitors);
  },
);
