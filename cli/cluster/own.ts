import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import type { StackConfig } from "../../components/config/schema";
import { CATALOGUE } from "../../components/images/catalogue";
import { configSchema } from "../../policy/config/schema";
import { ROOT } from "../common/root";
import { step } from "../common/terminal";
import { configOf, stackConfig, stackFile } from "../stack/file";

/** A cluster of the user's own, as the options of `npm start` describe it. */
export interface OwnCluster {
  readonly context?: string;
  readonly registry?: string;
  readonly mirror?: string;
  readonly builder?: string;
  readonly caFile?: string;
  readonly ingressClass?: string;
  readonly ingressNamespace?: string;
  readonly ingressPort?: number;
  readonly domain?: string;
  readonly issuer?: string;
  readonly storageClass?: string;
}

/** The keys of a stack file that hold the value of an option. */
const KEYS: Record<keyof OwnCluster, readonly string[]> = {
  context: ["cluster.context"],
  registry: ["images.registry"],
  mirror: ["images.mirror"],
  builder: ["images.builder"],
  caFile: ["images.caFile"],
  ingressClass: ["platform.ingress.className"],
  ingressNamespace: ["platform.ingress.namespace"],
  ingressPort: ["platform.ingress.port"],
  domain: ["platform.ingress.domain"],
  issuer: ["platform.ingress.issuer"],
  storageClass: [
    "platform.prometheus.storageClass",
    "team.tracking.storageClass",
    "team.data.storageClass",
  ],
};

/** The options that are required, each with an example and the reason. */
const REQUIRED = [
  [
    "registry",
    "--registry ghcr.io/acme",
    "images are built here and pulled by the cluster; both must reach the registry",
  ],
  [
    "domain",
    "--domain ml.example.com",
    "models get host names below it, which must resolve to the ingress controller",
  ],
  [
    "ingressNamespace",
    "--ingress-namespace traefik",
    "network policies admit the ingress controller's pods by their namespace",
  ],
] as const;

/** Keys of the dev stack that suit the local cluster alone, or would expose a UI without a password. */
const LOCAL = [
  ...["retainData", "cluster", "images", "platform.ingress", "platform.gateway"],
  "platform.certManager",
  ...["platform.prometheus.expose", "team.tracking.expose"],
];

/** The stack name for a context. Pulumi allows letters, digits, dashes, underscores and dots. */
export function contextStackName(context: string): string {
  return context.replace(/[^\w.-]+/g, "-");
}

/**
 * The stack file for a cluster of the user's own: that of the dev stack, without what belongs to the local cluster.
 * @throws Error naming every option that is missing
 */
export function ownClusterStack(cluster: OwnCluster & { context: string }): string {
  const missing = REQUIRED.filter(([option]) => !cluster[option]);
  if (missing.length > 0) {
    const lines = missing.map(([, example, why]) => `  ${example}   (${why})`);
    throw new Error(["--context requires these options too:", ...lines].join("\n"));
  }
  const file = parseDocument(readFileSync(join(ROOT, "Pulumi.dev.yaml"), "utf8"));
  const place = (key: string) => {
    const [block, ...rest] = key.split(".");
    return ["config", `ml-platform:${block}`, ...rest];
  };
  file.commentBefore =
    " yaml-language-server: $schema=components/config.schema.json\n Written by `npm start -- --context`; yours to change.";
  if (file.contents) {
    file.contents.commentBefore = undefined;
  }
  file.delete("encryptionsalt");
  for (const key of LOCAL) {
    file.deleteIn(place(key));
  }
  file.setIn(place("id"), randomUUID().slice(0, 8));
  // Digests in a mirror may differ from those upstream.
  const lock = cluster.mirror
    ? `images.${contextStackName(cluster.context)}.lock.json`
    : "images.lock.json";
  file.setIn(place("images.lock"), lock);
  for (const [option, value] of Object.entries(cluster)) {
    for (const key of KEYS[option as keyof OwnCluster] ?? []) {
      file.setIn(place(key), value);
    }
  }
  return file.toString();
}

/** The policy configuration of that stack: where images may come from, which namespaces policies may name, and whether TLS is required. */
export function ownClusterPolicy(cluster: OwnCluster): string {
  const { registry, mirror, issuer, ingressNamespace } = cluster;
  const sources = mirror ? [mirror] : Object.values(CATALOGUE).map((image) => image.split("/")[0]);
  const peers = new Set(configSchema.parse({}).network.peers);
  const policy = {
    $schema: "../config/config.schema.json",
    images: { registries: [...new Set([registry, ...sources])].sort() },
    network: {
      requireTls: issuer !== undefined,
      ...(ingressNamespace &&
        !peers.has(ingressNamespace) && { peers: [...peers, ingressNamespace] }),
    },
  };
  return `${JSON.stringify(policy, null, 2)}\n`;
}

/**
 * Refuses options that describe a cluster where no context is given, as they would change nothing.
 * @throws Error naming the options
 */
export function requireContext({ context, ...others }: OwnCluster): void {
  const given = Object.entries(others).filter(([, value]) => value !== undefined);
  if (context || given.length === 0) {
    return;
  }
  const names = given.map(
    ([name]) => `--${name.replaceAll(/[A-Z]/g, (it) => `-${it.toLowerCase()}`)}`,
  );
  throw new Error(
    `${names.join(", ")}: only with --context. The file Pulumi.NAME.yaml holds the configuration of a stack`,
  );
}

const shown = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

/** The options that differ from a stack file, each with the value in the file. */
function differences(cluster: OwnCluster, config: StackConfig): string[] {
  return Object.entries(cluster).flatMap(([option, value]) => {
    const [key = ""] = KEYS[option as keyof OwnCluster] ?? [];
    const present = key.split(".").reduce<unknown>((at, name) => (at as never)?.[name], config);
    return value === undefined || present === value
      ? []
      : [`  ${key}: ${present ? shown(present) : "not set"}, not ${value}`];
  });
}

/** @throws Error where an existing stack file is for another cluster, or differs from an option */
function requireSame(file: string, cluster: OwnCluster, config: StackConfig): void {
  if (config.cluster.context !== cluster.context) {
    throw new Error(
      `${file} is for another cluster than the context ${cluster.context}; choose another stack name with --stack`,
    );
  }
  const different = differences(cluster, config);
  if (different.length > 0) {
    const lines = ["exists already, with other values; change them there:", ...different];
    throw new Error(`${file} ${lines.join("\n")}`);
  }
}

/**
 * The stack for a cluster of the user's own. Its files are written once, after the check.
 * @param check checks the configuration against the cluster, before anything is written
 * @throws Error where the stack's file exists already with other values
 */
export async function ownStack(
  cluster: OwnCluster & { context: string },
  check: (config: StackConfig) => Promise<void>,
  folder = ROOT,
  name = contextStackName(cluster.context),
): Promise<string> {
  const file = stackFile(name, folder);
  if (existsSync(file)) {
    const config = stackConfig(name, folder);
    requireSame(file, cluster, config);
    await check(config);
    return name;
  }
  const text = ownClusterStack(cluster);
  await check(configOf(text, `Pulumi.${name}.yaml (not written)`));
  const policy = join(folder, "policy", "stacks", `${name}.json`);
  // Before the stack's file, by which a later start knows that both are written.
  if (!existsSync(policy)) {
    writeFileSync(policy, ownClusterPolicy(cluster));
  }
  writeFileSync(file, text);
  step(
    `Pulumi.${name}.yaml and policy/stacks/${name}.json: written for the context ${cluster.context}; they are yours to change and to commit`,
  );
  return name;
}
