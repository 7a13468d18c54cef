import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { mirrored } from "./component";
import { LabError } from "./identity";

const FOLDER = resolve(__dirname, "../addons");

/** The fields of a Kubernetes object that the lab reads. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string };
  [field: string]: unknown;
}

/** Values for the add-ons' files. */
export interface AddonValues {
  /** Values of `${NAME}`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Upstream image reference -> digest, in the lab's registry. */
  readonly images: Readonly<Record<string, string>>;
  readonly registryPort: number;
}

/** Reads the files of lab/addons (or those in `only`), fills in the values, and returns the objects in the order of the files. */
export function renderAddons(values: AddonValues, only?: readonly string[]): Manifest[] {
  const files = addonFiles().filter(({ name }) => only?.includes(name) ?? true);
  return files.flatMap(({ name, text }) => renderAddon(name, text, values));
}

/** The add-ons' files, sorted by name. */
export function addonFiles(): { name: string; text: string }[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));
  return names.sort().map((name) => ({ name, text: readFileSync(join(FOLDER, name), "utf8") }));
}

/** One file: replaces variables, and then images by digest. Throws with the file name for an unknown variable or image. */
export function renderAddon(file: string, text: string, values: AddonValues): Manifest[] {
  const filled = text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values.variables[name];
    if (value === undefined) {
      throw new LabError(`lab/addons/${file}: no value for \${${name}}.`);
    }
    return value;
  });
  const pin = (upstream: string) => {
    const digest = values.images[upstream];
    if (!digest) {
      throw new LabError(`lab/addons/${file}: the lab provides no image ${upstream}.`);
    }
    const repository = upstream.replace(/:[^:/]+$/, "");
    return `${mirrored(values.registryPort, repository)}@${digest}`;
  };
  return parseAllDocuments(filled).map((document) => pinImages(document.toJS(), pin) as Manifest);
}

function pinImages(value: unknown, pin: (upstream: string) => string): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => pinImages(item, pin));
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  const entries = Object.entries(value).map(([key, item]) => {
    const pinned = key === "image" && typeof item === "string" ? pin(item) : pinImages(item, pin);
    return [key, pinned] as const;
  });
  return Object.fromEntries(entries);
}

/** Objects as a YAML stream for kubectl. */
export function toYaml(manifests: readonly Manifest[]): string {
  return manifests
    .map((manifest) => stringify(manifest, { aliasDuplicateObjects: false }))
    .join("---\n");
}

/** The fields of a Deployment that the lab reads. */
export interface Deployment {
  readonly metadata: { name: string; generation: number };
  readonly status?: {
    observedGeneration?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
  };
}

/** The fields of a pod that the lab reads. */
export interface Pod {
  readonly metadata: { name: string };
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: {
      readonly ready: boolean;
      readonly containerID?: string;
      readonly restartCount?: number;
      readonly state?: { waiting?: { reason?: string; message?: string } };
    }[];
  };
}

/** Names of Deployments whose current version is not available, or has no running pod. */
export function notRolledOut(
  names: readonly string[],
  deployments: readonly Deployment[],
  pods: readonly Pod[],
  runningContainers: ReadonlySet<string>,
): string[] {
  const available = ({ metadata, status }: Deployment) =>
    status?.observedGeneration === metadata.generation &&
    (status.updatedReplicas ?? 0) > 0 &&
    (status.availableReplicas ?? 0) > 0;
  const known = new Set(deployments.filter(available).map(({ metadata }) => metadata.name));
  const missing = new Set(missingPods(names, pods, runningContainers));
  return names.filter((name) => missing.has(name) || !known.has(name));
}

/** Why containers of pods are waiting, and how often they have restarted: `traefik-x: ErrImagePull: ...`. */
export function podProblems(pods: readonly Pod[]): string[] {
  return pods.flatMap(({ metadata, status }) =>
    (status?.containerStatuses ?? []).flatMap(({ ready, restartCount = 0, state }) => {
      if (ready) {
        return [];
      }
      const { reason = "not ready", message = "" } = state?.waiting ?? {};
      const ended = restartCount > 0 ? `, restarted ${restartCount} times` : "";
      return `${metadata.name}: ${[reason, message].filter(Boolean).join(": ")}${ended}`;
    }),
  );
}

/**
 * Names of Deployments without a pod whose containers are all ready and running. The status of a pod is not enough: after a
 * restart of the lab it is the old one until the kubelet updates it.
 */
export function missingPods(
  deployments: readonly string[],
  pods: readonly Pod[],
  runningContainers: ReadonlySet<string>,
): string[] {
  const isRunning = ({ status }: Pod) => {
    const containers = status?.containerStatuses ?? [];
    return (
      containers.length > 0 &&
      containers.every(
        ({ ready, containerID }) =>
          ready && runningContainers.has((containerID ?? "").replace("containerd://", "")),
      )
    );
  };
  const ofDeployment = (pod: Pod, name: string) =>
    new RegExp(`^${name}-[0-9a-z]+-[0-9a-z]+$`).test(pod.metadata.name);
  return deployments.filter(
    (name) => !pods.some((pod) => ofDeployment(pod, name) && isRunning(pod)),
  );
}
