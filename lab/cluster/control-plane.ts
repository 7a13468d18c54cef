import { join } from "node:path";
import { POD_CIDR, SERVICE_CIDR } from "./cidrs";
import { adminIdentity, apiServerUrl, type Blueprint, kubeconfigOf, type Part } from "./part";
import { identityOf } from "./pki";
import { httpProbe } from "./probe";

/** etcd, the API server, and the two that act on what it holds. */
export function controlPlane(blueprint: Blueprint): Part[] {
  return [
    etcd(blueprint),
    apiServer(blueprint),
    controllerManager(blueprint),
    scheduler(blueprint),
  ];
}

function etcd({ lab, link }: Blueprint): Part {
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
      // The only member: these two are written into its data and must not follow the node's address.
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

function apiServer({ lab, link, tool }: Blueprint): Part {
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

/** How the API server reaches etcd, the kubelet, and the API servers behind it (metrics-server, custom metrics). */
function connections(pki: string): string[] {
  const store = identityOf(pki, "apiserver-etcd-client", "etcd-ca");
  const kubelet = identityOf(pki, "apiserver-kubelet-client");
  const aggregator = identityOf(pki, "front-proxy-client", "front-proxy-ca");
  return [
    "--etcd-servers=https://127.0.0.1:2379",
    `--etcd-cafile=${store.ca}`,
    `--etcd-certfile=${store.cert}`,
    `--etcd-keyfile=${store.key}`,
    // By address: nothing resolves the node's name.
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

/** Flags that the controller manager and the scheduler share. */
function client({ lab }: Blueprint, user: string): string[] {
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

function controllerManager(blueprint: Blueprint): Part {
  const { lab, link, tool } = blueprint;
  const { pki } = lab.paths;
  const authority = identityOf(pki, "ca");
  const user = "controller-manager";
  return {
    name: user,
    after: ["apiserver"],
    command: [
      tool("kube-controller-manager"),
      ...client(blueprint, user),
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

function scheduler(blueprint: Blueprint): Part {
  const { lab, link, tool } = blueprint;
  const user = "scheduler";
  return {
    name: user,
    after: ["apiserver"],
    command: [tool("kube-scheduler"), ...client(blueprint, user)],
    probe: httpProbe(`https://${link.node}:10259/healthz`, adminIdentity(lab)),
  };
}
