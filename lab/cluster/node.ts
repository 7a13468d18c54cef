import { stringify } from "yaml";
import { POD_CIDR, SERVICE_CIDR, SERVICE_DNS, SERVICE_DOMAIN } from "./cidrs";
import { nodeReady } from "./node-state";
import { type Blueprint, configFile, kubeconfigOf, mirrored, type Part } from "./part";
import { identityOf } from "./pki";
import { httpProbe } from "./probe";
import { LOOK_TIMEOUT, run } from "./shell";

/** Upstream reference of the image that holds a pod's namespaces. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10";

const CNI_FOLDER = "cni";
const REGISTRIES_FOLDER = "registries";

/** The container runtime, the kubelet, and the two that program the node's network. */
export function node(blueprint: Blueprint): Part[] {
  return [
    containerd(blueprint),
    kubelet(blueprint),
    kubeProxy(blueprint),
    networkPolicy(blueprint),
  ];
}

function containerd({ lab, mtu, registryPort }: Blueprint): Part {
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
    probe: async () => void (await run("ctr", ["--address", socket, "version"], LOOK_TIMEOUT)),
  };
}

/**
 * Parts of containerd that are not used and leave folders or sockets on the machine: /opt/containerd, and those of node
 * resource plugins (from 2.0).
 */
const UNUSED_PLUGINS = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"];

/** Configuration of containerd 1.6 and 1.7, which 2.x converts as it reads it; JSON strings and arrays are TOML's. */
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

/** A bridge with addresses from the pod block, and host ports. */
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

function kubelet(blueprint: Blueprint): Part {
  const { lab, link, resolvers, tool } = blueprint;
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
      "kubelet.yaml": renderKubelet(blueprint),
      "resolv.conf": resolvers.map((address) => `nameserver ${address}\n`).join(""),
    },
    probe: async () => {
      await httpProbe(`http://${link.node}:10248/healthz`)();
      await nodeReady(blueprint);
    },
  };
}

function renderKubelet({ lab, link, cgroupRoot }: Blueprint): string {
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
    // The lab's cgroups are its own to write (see createCgroups): systemd, which the other driver asks, has no part in them.
    cgroupDriver: "cgroupfs",
    cgroupRoot,
    containerRuntimeEndpoint: `unix://${lab.paths.containerdSocket}`,
    clusterDNS: [SERVICE_DNS],
    clusterDomain: SERVICE_DOMAIN,
    resolvConf: configFile(lab, "resolv.conf"),
    failSwapOn: false,
    serializeImagePulls: false,
    // A developer's disk is often nearly full, and there is no second node to move to.
    evictionHard: {
      "memory.available": "100Mi",
      "nodefs.available": "1%",
      "imagefs.available": "1%",
    },
    imageGCHighThresholdPercent: 100,
  });
}

function kubeProxy({ lab, link, tool }: Blueprint): Part {
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
    // The table's limits belong to the machine, not to the namespace: leave them alone.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
  return {
    name: "kube-proxy",
    // It waits half a minute for the node's addresses, and goes on without them.
    after: ["kubelet"],
    command: [tool("kube-proxy"), `--config=${configFile(lab, "kube-proxy.yaml")}`],
    files: { "kube-proxy.yaml": stringify(config) },
    probe: httpProbe(`http://${link.node}:10256/healthz`),
  };
}

/** kube-router's firewall alone: the bridge plugin does not enforce NetworkPolicy. */
function networkPolicy({ lab, link, tool }: Blueprint): Part {
  const kubeconfig = kubeconfigOf(lab, "kube-router");
  return {
    name: "kube-router",
    after: ["kubelet"],
    // It ends after a minute in which it may not list pods, namespaces and policies.
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
