import type { Exemption } from "./config/schema";

const OWNER = "platform team";
/** When each of them is looked at again; from then on it lifts nothing. */
const REVIEW = "2028-06-30";

/** For what a component of the platform makes, and for nobody who only picks the same name. */
function exemption(
  component: string,
  object: string,
  rules: string[],
  reason: string,
): Exemption & { readonly component: string } {
  return {
    component: `mlplatform:${component}`,
    object,
    rules,
    reason,
    owner: OWNER,
    expires: REVIEW,
  };
}

/**
 * What the platform's own parts cannot do without, in every stack. A stack's exemptions are in its own
 * policy configuration.
 */
export const PLATFORM_EXEMPTIONS: readonly ReturnType<typeof exemption>[] = [
  exemption(
    "platform:DevicePlugin",
    "DaemonSet/*/*-device-plugin",
    ["host-path-volumes", "volume-types", "run-as-non-root", "run-as-user", "high-user-id"],
    "The device plugin talks to the kubelet through sockets in a folder of the node that belongs to root.",
  ),
  exemption(
    "platform:DevicePlugin",
    "DaemonSet/*/*-device-plugin",
    ["capabilities-added", "capabilities-dropped"],
    "Watching MIG devices needs SYS_ADMIN; without MIG the plugin asks for no capability.",
  ),
  exemption(
    "platform:DevicePlugin",
    "Namespace//*-device-plugin-namespace",
    ["pod-security-labels"],
    "The namespace holds the device plugin alone, which the level restricted does not admit.",
  ),
  exemption(
    "platform:DevicePlugin",
    "Namespace//*-device-plugin-namespace",
    ["default-deny-ingress", "default-deny-egress"],
    "The device plugin listens on no port, and talks to its kubelet alone.",
  ),
  ...["platform:DevicePlugin", "platform:Platform"].map((component) =>
    exemption(
      component,
      "Namespace//*-namespace",
      ["namespace-quota", "namespace-counts", "namespace-limit-range"],
      "The platform's namespaces hold its own few pods, each with limits; nobody else may create any.",
    ),
  ),
  exemption(
    "platform:Platform",
    "Namespace//*-namespace",
    ["default-deny-egress"],
    "Prometheus scrapes pods of all namespaces, and the API server, which no selector finds, is called by both.",
  ),
  exemption(
    "platform:Prometheus",
    "Deployment/*/*-prometheus",
    ["service-account-token"],
    "Prometheus asks the API server which pods there are to scrape.",
  ),
  exemption(
    "platform:MetricsAdapter",
    "Deployment/*/*-metrics-adapter",
    ["service-account-token"],
    "The adapter asks the API server who calls it, and which pods it is asked about.",
  ),
  exemption(
    "platform:MetricsAdapter",
    "RoleBinding/kube-system/*-front-proxy",
    ["own-namespace"],
    "The API server publishes how it identifies itself to its extensions in kube-system alone.",
  ),
  exemption(
    "platform:Platform",
    "NetworkPolicy/*/*-network-adapter",
    ["open-ingress"],
    "The API server, which calls the adapter, is no pod that a selector could name; the adapter checks who calls.",
  ),
  exemption(
    "team:TrackingServer",
    "NetworkPolicy/*/*-tracking-stores",
    ["open-egress"],
    "Stores outside of the cluster have names, and network policies know addresses only.",
  ),
  exemption(
    "team:TrackingServer",
    "Deployment/*/*-tracking",
    ["secret-in-environment"],
    "The clients of PostgreSQL and S3 in the tracking server read credentials from the environment.",
  ),
];
