import { join } from "node:path";
import type { LinkAddresses } from "./addresses";
import type { Lab } from "./identity";
import { identityOf } from "./pki";
import type { Probe, ProbeIdentity } from "./probe";

/** One component of a lab: a long-running process, with its configuration, command and probe. */
export interface Component {
  readonly name: string;
  /** Components that must be ready before this one is started. */
  readonly after: readonly string[];
  /** Files of lab/addons whose objects must be in the cluster before it is started; it must then come after the API server. */
  readonly needs?: readonly string[];
  readonly command: readonly string[];
  /** Configuration files by name; written to `configFile(lab, name)` before the start. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether it runs in the lab's namespaces (default) or on the host. */
  readonly inside?: boolean;
  readonly probe: Probe;
}

/** The values from which the components of a lab are configured. */
export interface ClusterConfig {
  readonly lab: Lab;
  readonly link: LinkAddresses;
  readonly mtu: number;
  readonly registryPort: number;
  readonly ingressPort: number;
  readonly httpsPort: number;
  /** Upstream name servers for pods and builds. */
  readonly resolvers: readonly string[];
  /** The lab's cgroup root, as its components see it. */
  readonly cgroupRoot: string;
  /** Absolute path of a built tool. */
  readonly tool: (name: string) => string;
}

/** URL of the API server for the host and the lab's processes. */
export function apiServerUrl(link: LinkAddresses): string {
  return `https://${link.node}:6443`;
}

/** Path of a component's configuration file. */
export function configFile(lab: Lab, name: string): string {
  return join(lab.paths.config, name);
}

/** Path of the kubeconfig of a user of the API server. */
export function kubeconfigOf(lab: Lab, user: string): string {
  return join(lab.paths.pki, `${user}.kubeconfig`);
}

/** Certificates of the lab's administrator, for probes of the API server. */
export function adminIdentity(lab: Lab): ProbeIdentity {
  return identityOf(lab.paths.pki, "admin");
}

/** Paths of the keys, certificates and kubeconfigs in a component's command and configuration. */
export function keysOf(component: Component, pki: string): string[] {
  const words = [...component.command, ...Object.values(component.files ?? {})];
  const names = words.flatMap((word) =>
    word
      .split(`${pki}/`)
      .slice(1)
      .map((rest) => /^[\w.-]*/.exec(rest)?.[0] ?? ""),
  );
  return [...new Set(names)].sort().map((name) => join(pki, name));
}

/** Reference in the lab's registry of an image with this upstream reference. */
export function mirrored(registryPort: number, upstream: string): string {
  return `127.0.0.1:${registryPort}/${upstream}`;
}
