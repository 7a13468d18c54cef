import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

/** What a caller may choose about a lab; everything has a default. */
export interface LabOptions {
  /** Name of the lab: 2 to 12 lower-case letters, digits and dashes. Default `dev`. */
  name?: string;
  /** Folder for data, keys, logs and results. Default `<checkout>/.lab/NAME`. */
  folder?: string;
  /** Loopback port of the registry. Default 5001 for `dev`, else the next free one, remembered. */
  registryPort?: number;
  /** Loopback port of the ingress. Default 8080 for `dev`, else the next free one, remembered. */
  ingressPort?: number;
}

/** The names and places that follow from a lab's name and folder; nothing here is looked up. */
export interface Lab {
  name: string;
  /** Kubernetes node, context, cluster and buildx builder all carry this name. */
  label: string;
  /** Cgroup root (or systemd scope) and comment of the host's firewall rules. */
  scope: string;
  /** Host end of the veth pair (the kernel allows 15 characters). */
  link: string;
  paths: LabPaths;
}

/** Every path that a lab uses on the host. */
export interface LabPaths {
  folder: string;
  /** etcd, containerd, kubelet, registry, BuildKit and volumes: what survives `down`. */
  data: string;
  pki: string;
  logs: string;
  settings: string;
  info: string;
  kubeconfig: string;
  imagesLock: string;
  charts: string;
  caBundle: string;
  /** Sockets, namespaces and pid files: gone after `down`, void after a reboot. */
  run: string;
  config: string;
  netns: string;
  mountNamespace: string;
  /** Only where the machine has cgroup v2. */
  cgroupNamespace: string;
  containerdSocket: string;
  buildkitSocket: string;
  /** Where the pods' volumes are seen inside the lab's mount namespace. */
  volumes: string;
}

/** Root of the running state of all labs of this machine. */
export const RUN_ROOT = "/run/ml-lab";

/** The lab that `npm start` uses; committed stack files name its ports. */
export const DEFAULT_LAB = "dev";

const CHECKOUT = resolve(__dirname, "../..");
/** 12 characters: `ml-NAME` must fit into an interface name (15) with room to spare. */
const NAME = /^[a-z][a-z0-9-]{0,10}[a-z0-9]$/;

/** An error whose message is meant for the person at the terminal: no stack is shown. */
export class LabError extends Error {
  override name = "LabError";
}

/** Names and paths of a lab. Throws a LabError for a name that cannot be an interface or DNS label. */
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

/** Short hash of anything that can be written as JSON: tells whether a part's set-up has changed. */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
