import { join } from "node:path";
import type { LinkAddresses } from "./addresses";
import type { Lab } from "./identity";
import { identityOf } from "./pki";
import type { Probe, ProbeIdentity } from "./probe";

/** One long-running process of a lab: how it is set up, started, and known to be well. */
export interface Part {
  name: string;
  /** Parts that must be well before this one is started. */
  after: readonly string[];
  /** Files of lab/addons whose objects it needs in the cluster before it is started; it then comes after the API server. */
  needs?: readonly string[];
  command: readonly string[];
  /** Configuration files by name; written to `configFile(lab, name)` before the start. */
  files?: Readonly<Record<string, string>>;
  /** Whether it lives in the lab's namespaces (default) or on the host. */
  inside?: boolean;
  probe: Probe;
}

/** What the parts of a lab are rendered from. */
export interface Blueprint {
  lab: Lab;
  link: LinkAddresses;
  mtu: number;
  registryPort: number;
  ingressPort: number;
  /** Upstream name servers for pods and builds. */
  resolvers: readonly string[];
  /** The lab's cgroup root, as its parts see it. */
  cgroupRoot: string;
  /** Absolute path of a built tool. */
  tool: (name: string) => string;
}

/** Where the host and the lab's processes reach the API server. */
export function apiServerUrl(link: LinkAddresses): string {
  return `https://${link.node}:6443`;
}

/** Path of a part's configuration file. */
export function configFile(lab: Lab, name: string): string {
  return join(lab.paths.config, name);
}

/** Paths of a kubeconfig that a part (or the lab's own commands) uses. */
export function kubeconfigOf(lab: Lab, user: string): string {
  return join(lab.paths.pki, `${user}.kubeconfig`);
}

/** The lab's administrator, for probes of the API server. */
export function adminIdentity(lab: Lab): ProbeIdentity {
  return identityOf(lab.paths.pki, "admin");
}

/** Keys, certificates and kubeconfigs that a part's command and configuration name. */
export function keysOf(part: Part, pki: string): string[] {
  const words = [...part.command, ...Object.values(part.files ?? {})];
  const names = words.flatMap((word) =>
    word
      .split(`${pki}/`)
      .slice(1)
      .map((rest) => /^[\w.-]*/.exec(rest)?.[0] ?? ""),
  );
  return [...new Set(names)].sort().map((name) => join(pki, name));
}

/** Reference under which the lab's registry holds an image of this upstream reference. */
export function mirrored(registryPort: number, upstream: string): string {
  return `127.0.0.1:${registryPort}/${upstream}`;
}
