import { pins, type ToolName } from "../tools/pins";

/** One file of an image: a tool, a file of a Debian package on this machine, or text. */
export type ImageFile =
  | { readonly tool: ToolName }
  | { readonly host: string }
  | { readonly text: string };

/** An image with one layer of a few files. */
export interface FilesLayer {
  readonly kind: "files";
  /** Absolute path in the image -> source of its content. */
  readonly files: Readonly<Record<string, ImageFile>>;
  /** Empty folders, as mount points of volumes. */
  readonly folders?: readonly string[];
}

/** An image with one layer, a Debian system. */
export interface DebianLayer {
  readonly kind: "debian";
  readonly suite: string;
  readonly packages: readonly string[];
  /** Shell lines that run after the installation, with the system's root as `$1`. */
  readonly finish: readonly string[];
}

/** The fields of an OCI image config that a recipe sets. */
export interface RunConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
}

/** How an image that replaces an upstream one is assembled. */
export interface Recipe {
  /** Upstream reference with its registry: the name that users write, and the path in a mirror. */
  readonly reference: string;
  readonly layer: FilesLayer | DebianLayer;
  readonly config: RunConfig;
}

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The user `nonroot` of the distroless images. */
const nonRoot = "65532:65532";

/** The user `nobody`, as which the Prometheus images run. */
const nobody = "65534:65534";

/** An image with one static binary, at the same path as in the upstream image. */
function binary(reference: string, tool: ToolName, path: string, user = nonRoot): Recipe {
  return {
    reference,
    layer: { kind: "files", files: { [path]: { tool } } },
    config: { User: user, Env: [searchPath], Entrypoint: [path] },
  };
}

/** An image of one command of cert-manager; here all commands are in one binary. */
function certManager(command: string): Recipe {
  const path = "/cert-manager";
  return {
    reference: `quay.io/jetstack/cert-manager-${command}:v${pins["cert-manager"].version}`,
    layer: { kind: "files", files: { [path]: { tool: "cert-manager" } } },
    config: { User: nonRoot, Env: [searchPath], Entrypoint: [path, command] },
  };
}

/** Every image that a lab provides. */
export const recipes: readonly Recipe[] = [
  {
    reference: "registry.k8s.io/pause:3.10",
    // The pause process of Podman: it sleeps, reaps zombies, and exits on a signal.
    layer: { kind: "files", files: { "/catatonit": { host: "/usr/bin/catatonit" } } },
    config: { User: "65535:65535", Env: [searchPath], Entrypoint: ["/catatonit", "-P"] },
  },
  binary(`registry.k8s.io/coredns/coredns:v${pins.coredns.version}`, "coredns", "/coredns"),
  binary(`docker.io/library/traefik:v${pins.traefik.version}`, "traefik", "/usr/local/bin/traefik"),
  binary(
    `registry.k8s.io/metrics-server/metrics-server:v${pins["metrics-server"].version}`,
    "metrics-server",
    "/metrics-server",
    nobody,
  ),
  binary(
    `lab/hostpath-provisioner:${pins["hostpath-provisioner"].version}`,
    "hostpath-provisioner",
    "/hostpath-provisioner",
  ),
  {
    reference: `quay.io/prometheus/prometheus:v${pins.prometheus.version}`,
    layer: {
      kind: "files",
      files: {
        "/bin/prometheus": { tool: "prometheus" },
        "/etc/prometheus/prometheus.yml": { text: "scrape_configs: []\n" },
      },
      folders: ["/prometheus"],
    },
    config: {
      User: nobody,
      Env: [searchPath],
      WorkingDir: "/prometheus",
      Entrypoint: ["/bin/prometheus"],
      Cmd: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
    },
  },
  binary(
    `registry.k8s.io/prometheus-adapter/prometheus-adapter:v${pins["prometheus-adapter"].version}`,
    "prometheus-adapter",
    "/adapter",
    nobody,
  ),
  ...["controller", "webhook", "cainjector", "acmesolver", "startupapicheck"].map(certManager),
  {
    reference: "docker.io/library/python:3.13-slim",
    layer: {
      kind: "debian",
      // The release with Python 3.13; the CA bundle is Debian's, not this machine's.
      suite: "trixie",
      packages: ["python3", "python3-venv", "ca-certificates"],
      finish: [
        // The official image has its interpreter here.
        'ln -s ../../bin/python3 "$1/usr/local/bin/python3"',
        'ln -s python3 "$1/usr/local/bin/python"',
        // Bytecode that does not check the time of its source, which the layer sets to zero.
        'chroot "$1" python3 -m compileall -q -f --invalidation-mode unchecked-hash' +
          " /usr/lib/python3 /usr/lib/python3.13",
        // Copied from this machine; a container runtime mounts its own files over them.
        ': > "$1/etc/hostname"; : > "$1/etc/resolv.conf"',
        'rm -rf "$1"/var/cache/debconf/*-old "$1"/var/log/*',
      ],
    },
    config: { Env: [searchPath, "LANG=C.UTF-8"], Cmd: ["python3"] },
  },
];

/** Images that are assembled only on request: Pebble, an ACME server. */
export const optionalRecipes: readonly Recipe[] = [
  binary(`ghcr.io/letsencrypt/pebble:${pins.pebble.version}`, "pebble", "/app"),
];
