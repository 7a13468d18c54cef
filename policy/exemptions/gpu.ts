import type { BuiltInExemption } from "./built-in";

const component = "mlplatform:platform:DevicePlugin";

/** What the NVIDIA device plugin needs. */
export const GPU_EXEMPTIONS: readonly BuiltInExemption[] = [
  {
    component,
    object: "DaemonSet/*/*-device-plugin",
    rules: ["host-path-volumes", "volume-types", "run-as-non-root", "run-as-user", "high-user-id"],
    reason:
      "The device plugin talks to the kubelet through sockets in a folder of the node that belongs to root.",
  },
  {
    component,
    object: "DaemonSet/*/*-device-plugin",
    rules: ["capabilities-added", "capabilities-dropped"],
    reason: "Watching MIG devices needs SYS_ADMIN. Without MIG the plugin adds no capability.",
  },
  {
    component,
    object: "Namespace//*-device-plugin-namespace",
    rules: ["pod-security-labels"],
    reason:
      "The namespace contains only the device plugin, which the Pod Security level restricted does not admit.",
  },
  {
    component,
    object: "Namespace//*-device-plugin-namespace",
    rules: ["default-deny-ingress", "default-deny-egress"],
    reason: "The device plugin listens on no port, and talks only to the kubelet of its node.",
  },
  {
    component,
    object: "Namespace//*-device-plugin-namespace",
    rules: ["namespace-quota", "namespace-counts", "namespace-limit-range"],
    reason:
      "The namespace contains only the pods of the device plugin, which have limits. Nobody else may create any.",
  },
];
