import { stringify } from "yaml";
import { POD_CIDR, SERVICE_CIDR, SERVICE_DNS, SERVICE_DOMAIN } from "./cidrs";
import {
  type ClusterConfig,
  type Component,
  configFile,
  kubeconfigOf,
  mirrored,
} from "./component";
import { nodeReady } from "./node-state";
import { identityOf } from "./pki";
import { httpProbe } from "./probe";
import { QUERY_TIMEOUT, run } from "./shell";

/** Upstream reference of the sandbox image of pods. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10";

const CNI_FOLDER = "cni";
const REGISTRIES_FOLDER = "registries";

/** The node: container runtime, kubelet, kube-proxy, kube-router. */
export function node(cluster: ClusterConfig): Component[] {
  return [containerd(cluster), kubelet(cluster), kubeProxy(cluster), networkPolicy(cluster)];
}

function containerd({ lab, mtu, registryPort }: ClusterConfig): Component {
  const socket = `${lab.paths.run}/containerd/containerd.sock`;
  const registry = `127.0.0.1:${registryPort}`;
  return {
    name: "containerd",
    after: [],
    command: ["containerd", "--config", configFile(lab, "containerd.toml")],
    files: {
      "containerd.toml": renderContainerd(
        mirrored(registryPort, PAUSE_IMAGE),
        configFile(lab, CNI_FOLDER),
        configFile(lab, REGISTRIES_FOLDER),
      ),
      [`${CNI_FOLDER}/10-lab.conflist`]: renderCni(mtu),
      [`${REGISTRIES_FOLDER}/${registry}/hosts.toml`]: renderHosts(registry),
    },
    probe: async () => void (await run("ctr", ["--address", socket, "version"], QUERY_TIMEOUT)),
  };
}

/**
 * Plugins of containerd that are not used and leave folders or sockets on the machine: /opt/containerd, and those of node
 * resource plugins (from 2.0).
 */
const UNUSED_PLUGINS = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"];

/** Configuration of containerd 1.6 and 1.7, which 2.x converts. JSON strings and arrays are valid TOML. */
export function renderContainerd(pause: string, cni: string, registries: string): string {
  const quote = JSON.stringify;
  return `version = 2
disabled_plugins = ${quote(UNUSED_PLUGINS)}
[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE (containers, some sandboxes) the score cannot be lowered, and no pod would start.
  restrict_oom_score_adj = true
  # A web server as an ordinary user on port 80, as current runtimes allow by default.
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  # Pods' network namespaces below /run/containerd, which is the lab's own.
  netns_mounts_under_state_dir = true
  sandbox_image = ${quote(pause)}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${quote(cni)}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${quote(registries)}
`;
}

function renderHosts(registry: string): string {
  return `server = "http://${registry}"
[host."http://${registry}"]
  capabilities = ["pull", "resolve"]
`;
}

/** A bridge with the pod addresses, and host ports. */
export function renderCni(mtu: number): string {
  const ipam = {
    type: "host-local",
    ranges: [[{ subnet: POD_CIDR }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const bridge = { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: true };
  const plugins = [
    { ...bridge, hairpinMode: true, mtu, ipam },
    { type: "portmap", capabilities: { portMappings: true } },
  ];
  return JSON.stringify({ cniVersion: "1.0.0", name: "lab", plugins }, undefined, 2);
}

function kubelet(cluster: ClusterConfig): Component {
  const { lab, link, resolvers, tool } = cluster;
  return {
    name: "kubelet",
    after: ["apiserver", "containerd"],
    command: [
      tool("kubelet"),
      `--config=${configFile(lab, "kubelet.yaml")}`,
      `--kubeconfig=${kubeconfigOf(lab, "kubelet")}`,
      `--hostname-override=${lab.label}`,
      `--node-ip=${link.node}`,
    ],
    files: {
      "kubelet.yaml": renderKubelet(cluster),
      "resolv.conf": resolvers.map((address) => `nameserver ${address}\n`).join(""),
    },
    probe: async () => {
      await httpProbe(`http://${link.node}:10248/healthz`)();
      await nodeReady(cluster);
    },
  };
}

function renderKubelet({ lab, link, cgroupRoot }: ClusterConfig): string {
  const server = identityOf(lab.paths.pki, "node-server");
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: server.ca },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: server.cert,
    tlsPrivateKeyFile: server.key,
    healthzBindAddress: link.node,
    // The lab's cgroups are delegated (see createCgroups): systemd, which the other driver uses, does not manage them.
    cgroupDriver: "cgroupfs",
    cgroupRoot,
    containerRuntimeEndpoint: `unix://${lab.paths.containerdSocket}`,
    clusterDNS: [SERVICE_DNS],
    clusterDomain: SERVICE_DOMAIN,
    resolvConf: configFile(lab, "resolv.conf"),
    failSwapOn: false,
    serializeImagePulls: false,
    // A developer's disk is often nearly full, and there is no second node for evicted pods.
    evictionHard: {
      "memory.available": "100Mi",
      "nodefs.available": "1%",
      "imagefs.available": "1%",
    },
    imageGCHighThresholdPercent: 100,
  });
}

function kubeProxy({ lab, link, tool }: ClusterConfig): Component {
  const kubeconfig = kubeconfigOf(lab, "kube-proxy");
  const config = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig },
    clusterCIDR: POD_CIDR,
    mode: "iptables",
    hostnameOverride: lab.label,
    nodePortAddresses: ["primary"],
    healthzBindAddress: `${link.node}:10256`,
    // The limits of the conntrack table are those of the machine, not of the namespace: they are not changed.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
  return {
    name: "kube-proxy",
    // It waits half a minute for the node's addresses, and then continues without them.
    after: ["kubelet"],
    command: [tool("kube-proxy"), `--config=${configFile(lab, "kube-proxy.yaml")}`],
    files: { "kube-proxy.yaml": stringify(config) },
    probe: httpProbe(`http://${link.node}:10256/healthz`),
  };
}

/** Only the firewall of kube-router: the bridge plugin does not enforce NetworkPolicy. */
function networkPolicy({ lab, link, tool }: ClusterConfig): Component {
  const kubeconfig = kubeconfigOf(lab, "kube-router");
  return {
    name: "kube-router",
    after: ["kubelet"],
    // It exits after a minute without permission to list pods, namespaces and policies.
    needs: ["access.yaml"],
    command: [
      tool("kube-router"),
      "--run-firewall=true",
      "--run-router=false",
      "--run-service-proxy=false",
      "--run-loadbalancer=false",
      `--kubeconfig=${kubeconfig}`,
      `--hostname-override=${lab.label}`,
      `--service-cluster-ip-range=${SERVICE_CIDR}`,
    ],
    probe: httpProbe(`http://${link.node}:20244/healthz`),
  };
}
