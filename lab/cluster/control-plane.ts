import { join } from "node:path";
import { POD_CIDR, SERVICE_CIDR } from "./cidrs";
import {
  adminIdentity,
  apiServerUrl,
  type ClusterConfig,
  type Component,
  kubeconfigOf,
} from "./component";
import { identityOf } from "./pki";
import { httpProbe } from "./probe";

/** The control plane: etcd, API server, controller manager, scheduler. */
export function controlPlane(cluster: ClusterConfig): Component[] {
  return [etcd(cluster), apiServer(cluster), controllerManager(cluster), scheduler(cluster)];
}

function etcd({ lab, link }: ClusterConfig): Component {
  const { pki, data } = lab.paths;
  const server = identityOf(pki, "etcd", "etcd-ca");
  const client = identityOf(pki, "apiserver-etcd-client", "etcd-ca");
  const tls = (prefix: string) => [
    `--${prefix}cert-file=${server.cert}`,
    `--${prefix}key-file=${server.key}`,
    `--${prefix}trusted-ca-file=${server.ca}`,
    `--${prefix}client-cert-auth=true`,
  ];
  return {
    name: "etcd",
    after: [],
    command: [
      "etcd",
      `--name=${lab.name}`,
      `--data-dir=${join(data, "etcd")}`,
      `--listen-client-urls=https://127.0.0.1:2379,https://${link.node}:2379`,
      "--advertise-client-urls=https://127.0.0.1:2379",
      // For the only member: these two are stored in its data and must not change with the node's address.
      "--listen-peer-urls=https://127.0.0.1:2380",
      "--initial-advertise-peer-urls=https://127.0.0.1:2380",
      `--initial-cluster=${lab.name}=https://127.0.0.1:2380`,
      "--auto-compaction-retention=1",
      ...tls(""),
      ...tls("peer-"),
    ],
    probe: httpProbe(`https://${link.node}:2379/health`, client),
  };
}

function apiServer({ lab, link, tool }: ClusterConfig): Component {
  const { pki } = lab.paths;
  const server = identityOf(pki, "apiserver");
  const accounts = join(pki, "sa.key");
  return {
    name: "apiserver",
    after: ["etcd"],
    command: [
      tool("kube-apiserver"),
      "--bind-address=0.0.0.0",
      "--secure-port=6443",
      `--advertise-address=${link.node}`,
      `--tls-cert-file=${server.cert}`,
      `--tls-private-key-file=${server.key}`,
      `--client-ca-file=${server.ca}`,
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--allow-privileged=true",
      `--service-cluster-ip-range=${SERVICE_CIDR}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${accounts}`,
      `--service-account-signing-key-file=${accounts}`,
      "--profiling=false",
      ...connections(pki),
    ],
    probe: httpProbe(`${apiServerUrl(link)}/readyz`, adminIdentity(lab)),
  };
}

/** Flags for the connections of the API server to etcd, kubelets, and aggregated API servers (metrics-server, custom metrics). */
function connections(pki: string): string[] {
  const store = identityOf(pki, "apiserver-etcd-client", "etcd-ca");
  const kubelet = identityOf(pki, "apiserver-kubelet-client");
  const aggregator = identityOf(pki, "front-proxy-client", "front-proxy-ca");
  return [
    "--etcd-servers=https://127.0.0.1:2379",
    `--etcd-cafile=${store.ca}`,
    `--etcd-certfile=${store.cert}`,
    `--etcd-keyfile=${store.key}`,
    // By address, as the node's name cannot be resolved.
    "--kubelet-preferred-address-types=InternalIP",
    `--kubelet-certificate-authority=${kubelet.ca}`,
    `--kubelet-client-certificate=${kubelet.cert}`,
    `--kubelet-client-key=${kubelet.key}`,
    "--enable-aggregator-routing=true",
    `--proxy-client-cert-file=${aggregator.cert}`,
    `--proxy-client-key-file=${aggregator.key}`,
    `--requestheader-client-ca-file=${aggregator.ca}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
  ];
}

/** Flags of the controller manager and the scheduler. */
function client({ lab }: ClusterConfig, user: string): string[] {
  const server = identityOf(lab.paths.pki, "node-server");
  const kubeconfig = kubeconfigOf(lab, user);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--tls-cert-file=${server.cert}`,
    `--tls-private-key-file=${server.key}`,
    "--leader-elect=false",
    "--profiling=false",
  ];
}

function controllerManager(cluster: ClusterConfig): Component {
  const { lab, link, tool } = cluster;
  const { pki } = lab.paths;
  const authority = identityOf(pki, "ca");
  const user = "controller-manager";
  return {
    name: user,
    after: ["apiserver"],
    command: [
      tool("kube-controller-manager"),
      ...client(cluster, user),
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${join(pki, "sa.key")}`,
      `--root-ca-file=${authority.cert}`,
      `--cluster-signing-cert-file=${authority.cert}`,
      `--cluster-signing-key-file=${authority.key}`,
      "--allocate-node-cidrs=true",
      `--cluster-cidr=${POD_CIDR}`,
      "--node-cidr-mask-size=24",
    ],
    probe: httpProbe(`https://${link.node}:10257/healthz`, adminIdentity(lab)),
  };
}

function scheduler(cluster: ClusterConfig): Component {
  const { lab, link, tool } = cluster;
  const user = "scheduler";
  return {
    name: user,
    after: ["apiserver"],
    command: [tool("kube-scheduler"), ...client(cluster, user)],
    probe: httpProbe(`https://${link.node}:10259/healthz`, adminIdentity(lab)),
  };
}
