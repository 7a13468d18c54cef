import { existsSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { CATALOGUE, type CatalogueEntry } from "../images/catalogue";
import { ImageSource } from "../images/source";
import type { CertManagerConfig } from "../platform/certificates/schema";
import type { PlatformContract } from "../platform/contract";
import { installed } from "../platform/mode";
import { platformImages, platformNamespaces } from "../platform/schema";
import { imagesToBuild } from "../team/images/schema";
import { missingCapabilities } from "../team/schema";
import { errorReport } from "./errors";
import type { Config } from "./load";

const builds = (team: Config["team"]) => team && imagesToBuild(team.images).length > 0;

/** The catalogue images that a stack runs or builds on. */
export function neededImages({
  platform,
  team,
}: Pick<Config, "platform" | "team">): CatalogueEntry[] {
  const installed = platform ? platformImages(platform) : [];
  return builds(team) ? [...installed, "python"] : installed;
}

/** A team must not have a namespace of the platform. */
function namespaceErrors({ team }: Config, contract: PlatformContract): string[] {
  return team && platformNamespaces(contract).includes(team.name)
    ? ["team.name: is a namespace of the platform; choose another name"]
    : [];
}

/** The chart of a cert-manager that is installed, if it is a file or folder. */
function chartFile(certManager: CertManagerConfig): string | undefined {
  const chart = installed(certManager)?.chart;
  return chart?.includes("://") ? undefined : chart;
}

/** Files that the configuration names and that do not exist. */
export function missingFiles({
  cluster,
  images,
  platform,
  team,
}: Pick<Config, "cluster" | "images" | "platform" | "team">): string[] {
  const files = {
    "platform.certManager.chart": platform && chartFile(platform.certManager),
    "cluster.kubeconfig": cluster.kubeconfig,
    "images.context": builds(team) ? images.context : undefined,
    "images.caFile": builds(team) ? images.caFile : undefined,
  };
  return Object.entries(files).flatMap(([key, path]) =>
    path && !existsSync(path)
      ? [`${key}: ${path} does not exist; correct the path, or create the file`]
      : [],
  );
}

function imageErrors(config: Config): { source: ImageSource; errors: string[] } {
  const { lock } = config.images;
  const remedy = `run \`npm run images:lock -- --stack ${pulumi.getStack()}\``;
  const needed = neededImages(config);
  if (needed.length === 0) {
    return { source: new ImageSource({}, undefined), errors: [] };
  }
  try {
    const source = ImageSource.load(config.images);
    const errors = needed
      .filter((entry) => !source.has(entry))
      .map((entry) => `images.lock: ${lock} has no digest for ${CATALOGUE[entry]}; ${remedy}`);
    return { source, errors };
  } catch (error) {
    const errors = [`images.lock: ${lock} cannot be read (${(error as Error).message}); ${remedy}`];
    return { source: new ImageSource({}, undefined), errors };
  }
}

/**
 * Checks what the schema cannot: files, digests, and whether the platform offers what the team needs. It runs before the
 * first resource is declared.
 * @returns where the images of the catalogue come from
 * @throws pulumi.RunError with every error and its remedy
 */
export function checkStack(config: Config, platform: PlatformContract): ImageSource {
  const { source, errors: imageIssues } = imageErrors(config);
  const errors = [
    ...namespaceErrors(config, platform),
    ...missingFiles(config),
    ...imageIssues,
    ...(config.team ? missingCapabilities(config.team, platform) : []),
  ];
  if (errors.length > 0) {
    throw new pulumi.RunError(errorReport(errors));
  }
  return source;
}
