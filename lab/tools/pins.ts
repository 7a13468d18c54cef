import type { GoPin, Pin, Range, Release } from "../../toolchain/pin";
import { certManager, lab } from "./modules";

const kubernetesVersion = "1.34.3";

/** The control plane and the node must have the same minor version; kubectl may differ by one. */
function kubernetes(command: string, range: Range = ["1.34.0", "1.35.0"]): GoPin {
  const stamp = "k8s.io/component-base/version";
  const [major, minor] = kubernetesVersion.split(".");
  return {
    kind: "go",
    version: kubernetesVersion,
    module: lab,
    package: `k8s.io/kubernetes/cmd/${command}`,
    values: [
      `${stamp}.gitVersion=v${kubernetesVersion}`,
      `${stamp}.gitMajor=${major}`,
      `${stamp}.gitMinor=${minor}`,
    ],
    onPath: {
      versionArgs: command === "kubectl" ? ["version", "--client"] : ["--version"],
      range,
    },
    release: {
      url: `https://dl.k8s.io/release/v{version}/bin/linux/{arch}/${command}`,
      checksums: `https://dl.k8s.io/release/v{version}/bin/linux/{arch}/${command}.sha256`,
    },
  };
}

/** The executable in an archive of a GitHub release. */
function onGitHub(repository: string, archive: string, checksums: string, member: string): Release {
  const files = `https://github.com/${repository}/releases/download/v{version}`;
  return { url: `${files}/${archive}`, checksums: `${files}/${checksums}`, member };
}

/** Every tool of a lab. */
export const pins = {
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  "kube-scheduler": kubernetes("kube-scheduler"),
  kubelet: kubernetes("kubelet"),
  "kube-proxy": kubernetes("kube-proxy"),
  kubectl: kubernetes("kubectl", ["1.33.0", "1.36.0"]),
  "kube-router": {
    kind: "go",
    version: "2.10.0",
    module: lab,
    package: "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
    values: ["github.com/cloudnativelabs/kube-router/v2/pkg/version.Version=v2.10.0"],
    release: onGitHub(
      "cloudnativelabs/kube-router",
      "kube-router_{version}_linux_{arch}.tar.gz",
      "kube-router_{version}_checksums.txt",
      "kube-router",
    ),
  },
  buildkitd: {
    kind: "go",
    version: "0.34.2",
    module: lab,
    package: "github.com/moby/buildkit/cmd/buildkitd",
    values: ["github.com/moby/buildkit/version.Version=v0.34.2"],
    onPath: { versionArgs: ["--version"], range: ["0.29.0", "1.0.0"] },
  },
  buildx: {
    kind: "go",
    version: "0.38.2",
    module: lab,
    package: "github.com/docker/buildx/cmd/buildx",
    values: ["github.com/docker/buildx/version.Version=v0.38.2"],
    onPath: { versionArgs: ["version"], range: ["0.20.0", "1.0.0"] },
    release: {
      url: "https://github.com/docker/buildx/releases/download/v{version}/buildx-v{version}.linux-{arch}",
      checksums: "https://github.com/docker/buildx/releases/download/v{version}/checksums.txt",
    },
  },
  coredns: {
    kind: "go",
    version: "1.14.1",
    module: lab,
    package: "./coredns",
    release: {
      ...onGitHub(
        "coredns/coredns",
        "coredns_{version}_linux_{arch}.tgz",
        "coredns_{version}_linux_{arch}.tgz.sha256",
        "coredns",
      ),
      static: true,
    },
  },
  traefik: {
    kind: "go",
    version: "3.6.12",
    module: lab,
    package: "github.com/traefik/traefik/v3/cmd/traefik",
    release: {
      ...onGitHub(
        "traefik/traefik",
        "traefik_v{version}_linux_{arch}.tar.gz",
        "traefik_v{version}_checksums.txt",
        "traefik",
      ),
      static: true,
    },
  },
  "metrics-server": {
    kind: "go",
    version: "0.8.0",
    module: lab,
    package: "sigs.k8s.io/metrics-server/cmd/metrics-server",
  },
  "hostpath-provisioner": {
    kind: "go",
    version: "0.1.0",
    module: lab,
    package: "./hostpath-provisioner",
  },
  prometheus: {
    kind: "go",
    version: "3.16.0",
    module: lab,
    package: "github.com/prometheus/prometheus/cmd/prometheus",
    values: ["github.com/prometheus/common/version.Version=3.16.0"],
    release: {
      ...onGitHub(
        "prometheus/prometheus",
        "prometheus-{version}.linux-{arch}.tar.gz",
        "sha256sums.txt",
        "prometheus-{version}.linux-{arch}/prometheus",
      ),
      static: true,
    },
  },
  "prometheus-adapter": {
    kind: "go",
    version: "0.12.0",
    module: lab,
    package: "sigs.k8s.io/prometheus-adapter/cmd/adapter",
  },
  // A test's ACME server: no image of a lab holds it.
  pebble: {
    kind: "go",
    version: "2.10.3",
    module: certManager,
    package: "github.com/letsencrypt/pebble/v2/cmd/pebble",
  },
  "cert-manager": {
    kind: "go",
    version: "1.21.2",
    module: certManager,
    package: "./cert-manager",
    values: ["github.com/cert-manager/cert-manager/pkg/util.AppVersion=v1.21.2"],
  },
} as const satisfies Record<string, Pin>;

/** Name of a tool and of its executable. */
export type ToolName = keyof typeof pins;
