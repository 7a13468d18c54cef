/**
 * What the lab's tools are made of. A tool's code is pinned by the `go.mod` and `go.sum` of its
 * folder; this table says which package of it is built, and how.
 */

/** Range of versions `[from, below)`, both `major.minor.patch`. */
export type Range = readonly [from: string, below: string];

/** How a tool on PATH is asked for its version, and which answers will do. */
export interface PathRule {
  readonly versionArgs: readonly string[];
  readonly range: Range;
}

/** A tool that is built from a Go module. */
export interface GoPin {
  readonly kind: "go";
  /** The version that people know it by, without `v`. */
  readonly version: string;
  /** Folder that holds its `go.mod` and `go.sum`, relative to `lab/`. */
  readonly folder: string;
  /** Package to build, `.` for the folder's own. */
  readonly package: string;
  /** Link-time values, as `import/path.Name=value`. */
  readonly values?: readonly string[];
  /** A file of a module that the build sees as `name` in the folder (for `go:embed`). */
  readonly overlay?: { readonly name: string; readonly module: string; readonly path: string };
  /** Time of a cold build on two cores, in minutes: only shown. */
  readonly minutes: number;
  /** Absent: the tool of PATH is never taken (it must be static for an image, or tells no version). */
  readonly onPath?: PathRule;
}

/** A tool that is a shell script. */
export interface ScriptPin {
  readonly kind: "script";
  readonly version: string;
  readonly text: string;
}

export type Pin = GoPin | ScriptPin;

const kubernetesVersion = "1.34.3";

/** The control plane and the node must be one minor version; kubectl may be one off. */
function kubernetes(command: string, minutes: number, range: Range = ["1.34.0", "1.35.0"]): GoPin {
  const stamp = "k8s.io/component-base/version";
  const [major, minor] = kubernetesVersion.split(".");
  return {
    kind: "go",
    version: kubernetesVersion,
    folder: "toolchain/modules/kubernetes",
    package: `k8s.io/kubernetes/cmd/${command}`,
    values: [
      `${stamp}.gitVersion=v${kubernetesVersion}`,
      `${stamp}.gitMajor=${major}`,
      `${stamp}.gitMinor=${minor}`,
    ],
    minutes,
    onPath: {
      versionArgs: command === "kubectl" ? ["version", "--client"] : ["--version"],
      range,
    },
  };
}

function buildkit(command: string): GoPin {
  return {
    kind: "go",
    version: "0.34.2",
    folder: "toolchain/modules/buildkit",
    package: `github.com/moby/buildkit/cmd/${command}`,
    values: ["github.com/moby/buildkit/version.Version=v0.34.2"],
    minutes: 2,
    onPath: { versionArgs: ["--version"], range: ["0.29.0", "1.0.0"] },
  };
}

/** Runs a script of the npm package as a plugin, from the folder that the engine starts it in. */
function nodePlugin(script: string): ScriptPin {
  return {
    kind: "script",
    version: "3.250.0",
    text: `#!/bin/sh\nexec node "$(node -p 'require.resolve("@pulumi/pulumi/cmd/${script}")')" "$@"\n`,
  };
}

/** Every tool. The order is the order in which a machine is warmed: what is needed first, first. */
export const pins = {
  "kube-apiserver": kubernetes("kube-apiserver", 6),
  "kube-controller-manager": kubernetes("kube-controller-manager", 3),
  "kube-scheduler": kubernetes("kube-scheduler", 1),
  kubelet: kubernetes("kubelet", 3),
  "kube-proxy": kubernetes("kube-proxy", 1),
  kubectl: kubernetes("kubectl", 1, ["1.33.0", "1.36.0"]),
  "kube-router": {
    kind: "go",
    version: "2.10.0",
    folder: "toolchain/modules/kube-router",
    package: "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
    values: ["github.com/cloudnativelabs/kube-router/v2/pkg/version.Version=v2.10.0"],
    minutes: 3,
  },
  buildkitd: buildkit("buildkitd"),
  buildctl: buildkit("buildctl"),
  buildx: {
    kind: "go",
    version: "0.38.2",
    folder: "toolchain/modules/buildx",
    package: "github.com/docker/buildx/cmd/buildx",
    values: ["github.com/docker/buildx/version.Version=v0.38.2"],
    minutes: 2,
    onPath: { versionArgs: ["version"], range: ["0.20.0", "1.0.0"] },
  },
  coredns: {
    kind: "go",
    version: "1.15.0",
    folder: "toolchain/modules/coredns",
    package: "github.com/coredns/coredns",
    minutes: 2,
  },
  traefik: {
    kind: "go",
    version: "3.6.12",
    folder: "toolchain/modules/traefik",
    package: "github.com/traefik/traefik/v3/cmd/traefik",
    minutes: 4,
  },
  "metrics-server": {
    kind: "go",
    version: "0.7.2",
    folder: "toolchain/modules/metrics-server",
    package: "sigs.k8s.io/metrics-server/cmd/metrics-server",
    minutes: 2,
  },
  "hostpath-provisioner": {
    kind: "go",
    version: "0.1.0",
    folder: "provisioner",
    package: ".",
    minutes: 1,
  },
  pulumi: {
    kind: "go",
    version: "3.250.0",
    folder: "toolchain/modules/pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    // The Automation API refuses a CLI that has no version.
    values: ["github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0"],
    minutes: 5,
    onPath: { versionArgs: ["version"], range: ["3.250.0", "4.0.0"] },
  },
  "pulumi-resource-kubernetes": {
    kind: "go",
    version: "4.18.1",
    folder: "toolchain/modules/pulumi-kubernetes",
    package: ".",
    overlay: {
      name: "schema.json",
      module: "github.com/pulumi/pulumi-kubernetes/provider/v4",
      path: "cmd/pulumi-resource-kubernetes/schema.json",
    },
    minutes: 7,
  },
  "pulumi-resource-docker-build": {
    kind: "go",
    version: "0.0.22",
    folder: "toolchain/modules/pulumi-docker-build",
    package: "github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
    values: ["github.com/pulumi/pulumi-docker-build/provider.Version=0.0.22"],
    minutes: 5,
  },
  "pulumi-analyzer-policy-nodejs": nodePlugin("run-policy-pack"),
  "pulumi-resource-pulumi-nodejs": nodePlugin("dynamic-provider"),
  // The newest language host that is a package of a served module: it runs programs with the 3.250
  // engine, but no policy packs. With it on PATH the engine passes the analyzer script over.
  "pulumi-language-nodejs": {
    kind: "go",
    version: "3.68.0",
    folder: "toolchain/modules/pulumi-language-nodejs",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    minutes: 1,
  },
  prometheus: {
    kind: "go",
    version: "3.16.0",
    folder: "toolchain/modules/prometheus",
    package: "github.com/prometheus/prometheus/cmd/prometheus",
    values: ["github.com/prometheus/common/version.Version=3.16.0"],
    minutes: 3,
  },
  "prometheus-adapter": {
    kind: "go",
    version: "0.12.0",
    folder: "toolchain/modules/prometheus-adapter",
    package: "sigs.k8s.io/prometheus-adapter/cmd/adapter",
    minutes: 3,
  },
} as const satisfies Record<string, Pin>;

/** Name of a tool: also the name of its executable. */
export type ToolName = keyof typeof pins;

/** All names, in the order of the table. */
export const toolNames = Object.keys(pins) as ToolName[];

/** The pin of a tool, as the general type. */
export function pinOf(name: ToolName): Pin {
  return pins[name];
}
