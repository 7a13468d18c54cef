import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { LabError } from "./identity";
import { mirrored } from "./part";

const FOLDER = resolve(__dirname, "../addons");

/** A Kubernetes object as far as the lab looks into it. */
export interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  [field: string]: unknown;
}

/** What the add-ons' files leave open. */
export interface AddonValues {
  /** Values of `${NAME}`. */
  variables: Readonly<Record<string, string>>;
  /** Upstream image reference -> digest, as the lab's registry holds it. */
  images: Readonly<Record<string, string>>;
  registryPort: number;
}

/** Reads the files of lab/addons (or those named), fills in the values, and returns the objects in the files' order. */
export function renderAddons(values: AddonValues, only?: readonly string[]): Manifest[] {
  const files = addonFiles().filter(({ name }) => only?.includes(name) ?? true);
  return files.flatMap(({ name, text }) => renderAddon(name, text, values));
}

/** The add-ons' files, sorted by name. */
export function addonFiles(): { name: string; text: string }[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));
  return names.sort().map((name) => ({ name, text: readFileSync(join(FOLDER, name), "utf8") }));
}

/** One file: variables first, then images by digest. Throws for an unknown variable or image, naming the file. */
export function renderAddon(file: string, text: string, values: AddonValues): Manifest[] {
  const filled = text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values.variables[name];
    if (value === undefined) throw new LabError(`lab/addons/${file}: no value for \${${name}}.`);
    return value;
  });
  const pin = (upstream: string) => {
    const digest = values.images[upstream];
    if (!digest) throw new LabError(`lab/addons/${file}: the lab provides no image ${upstream}.`);
    const repository = upstream.replace(/:[^:/]+$/, "");
    return `${mirrored(values.registryPort, repository)}@${digest}`;
  };
  return parseAllDocuments(filled).map((document) => pinImages(document.toJS(), pin) as Manifest);
}

function pinImages(value: unknown, pin: (upstream: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => pinImages(item, pin));
  if (value === null || typeof value !== "object") return value;
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

/** A deployment as far as the lab looks into it. */
export interface Deployment {
  metadata: { name: string; generation: number };
  status?: { observedGeneration?: number; updatedReplicas?: number; availableReplicas?: number };
}

/** A pod as far as the lab looks into it. */
export interface Pod {
  metadata: { name: string };
  status?: {
    phase?: string;
    containerStatuses?: {
      ready: boolean;
      containerID?: string;
      restartCount?: number;
      state?: { waiting?: { reason?: string; message?: string } };
    }[];
  };
}

/** Deployments whose current version is not available, or has no pod that runs indeed. */
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

/** What the containers of pods wait for, and how often they have ended: `traefik-x: ErrImagePull: ...`. */
export function podTroubles(pods: readonly Pod[]): string[] {
  return pods.flatMap(({ metadata, status }) =>
    (status?.containerStatuses ?? []).flatMap(({ ready, restartCount = 0, state }) => {
      if (ready) return [];
      const { reason = "not ready", message = "" } = state?.waiting ?? {};
      const ended = restartCount > 0 ? `, ended ${restartCount} times` : "";
      return `${metadata.name}: ${[reason, message].filter(Boolean).join(": ")}${ended}`;
    }),
  );
}

/**
 * Deployments without a pod whose containers are all ready and run indeed. The status alone does not tell: after a
 * restart it is the old one until the kubelet has looked.
 */
export function missingPods(
  deployments: readonly string[],
  pods: readonly Pod[],
  runningContainers: ReadonlySet<string>,
): string[] {
  const stands = ({ status }: Pod) => {
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
  return deployments.filter((name) => !pods.some((pod) => ofDeployment(pod, name) && stands(pod)));
}
