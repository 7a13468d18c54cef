import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

/** Options of a lab. Each has a default. */
export interface LabOptions {
  /** Name of the lab: 2 to 12 lower-case letters, digits and dashes. Default `dev`. */
  readonly name?: string;
  /** Folder for data, keys, logs and results. Default `<checkout>/.lab/NAME`. */
  readonly folder?: string;
  /** Loopback port of the registry. Default: 5001 for `dev`, else the next free one, which is kept. */
  readonly registryPort?: number;
  /** Loopback port of the ingress. Default: 8080 for `dev`, else the next free one, which is kept. */
  readonly ingressPort?: number;
  /** Loopback port of the ingress with TLS. Default: 8443 for `dev`, else the next free one, which is kept. */
  readonly httpsPort?: number;
}

/** The names and paths that follow from a lab's name and folder. */
export interface Lab {
  readonly name: string;
  /** Name of the Kubernetes node, context and cluster, and of the buildx builder. */
  readonly label: string;
  /** Cgroup root (or systemd scope) and comment of the host's firewall rules. */
  readonly scope: string;
  /** Host end of the veth pair (the kernel allows 15 characters). */
  readonly link: string;
  readonly paths: LabPaths;
}

/** Every path that a lab uses on the host. */
export interface LabPaths {
  readonly folder: string;
  /** etcd, containerd, kubelet, registry, BuildKit and volumes; kept by `down`. */
  readonly data: string;
  readonly pki: string;
  readonly logs: string;
  readonly settings: string;
  readonly info: string;
  readonly kubeconfig: string;
  readonly imagesLock: string;
  readonly charts: string;
  readonly caBundle: string;
  /** Sockets, namespaces and pid files; removed by `down`, invalid after a reboot. */
  readonly run: string;
  readonly config: string;
  readonly netns: string;
  readonly mountNamespace: string;
  /** Only on cgroup v2. */
  readonly cgroupNamespace: string;
  readonly containerdSocket: string;
  readonly buildkitSocket: string;
  /** Folder of the pods' volumes in the lab's mount namespace. */
  readonly volumes: string;
}

/** Folder of the runtime state of all labs of this machine. */
export const RUN_ROOT = "/run/ml-lab";

/** The lab that `npm start` uses; committed stack files contain its ports. */
export const DEFAULT_LAB = "dev";

const CHECKOUT = resolve(__dirname, "../..");
/** 12 characters: `ml-NAME` must fit into an interface name (15 characters). */
const NAME = /^[a-z][a-z0-9-]{0,10}[a-z0-9]$/;

/** An error with a message for the user: it is shown without its stack. */
export class LabError extends Error {
  override name = "LabError";
}

/** Names and paths of a lab. Throws a LabError for a name that is not a valid interface name or DNS label. */
export function identify(options: LabOptions): Lab {
  const name = options.name ?? DEFAULT_LAB;
  if (!NAME.test(name)) {
    throw new LabError(
      `--name: "${name}" is not a lab name. Use 2 to 12 lower-case letters, digits and dashes, a letter first.`,
    );
  }
  const folder = resolve(options.folder ?? join(CHECKOUT, ".lab", name));
  return {
    name,
    label: `lab-${name}`,
    scope: `ml-lab-${name}`,
    link: `ml-${name}`,
    paths: labPaths(name, folder),
  };
}

function labPaths(name: string, folder: string): LabPaths {
  const run = join(RUN_ROOT, name);
  return {
    folder,
    data: join(folder, "data"),
    pki: join(folder, "pki"),
    logs: join(folder, "logs"),
    settings: join(folder, "settings.json"),
    info: join(folder, "lab.json"),
    kubeconfig: join(folder, "kubeconfig"),
    imagesLock: join(folder, "images.lock.json"),
    charts: join(folder, "charts"),
    caBundle: join(folder, "ca.crt"),
    run,
    config: join(run, "config"),
    netns: join(run, "ns", "net"),
    mountNamespace: join(run, "ns", "mnt"),
    cgroupNamespace: join(run, "ns", "cgroup"),
    containerdSocket: "/run/containerd/containerd.sock",
    buildkitSocket: join(run, "buildkit", "buildkitd.sock"),
    volumes: join(run, "volumes"),
  };
}

/** Short hash of a JSON value: shows whether the configuration of a component has changed. */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
