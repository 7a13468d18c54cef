import { existsSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "./config";
import type { PlatformContract } from "./contract";
import { CATALOGUE, type CatalogueEntry, ImageSource } from "./images";
import { gpuNamespace } from "./platform/schema";
import { problemReport } from "./problems";
import { imagesToBuild } from "./team/images";
import type { TeamConfig } from "./team/schema";
import { variantsOf } from "./team/variants";

/** The catalogue images that a stack runs or builds upon. */
export function neededImages({
  platform,
  team,
}: Pick<Config, "platform" | "team">): CatalogueEntry[] {
  const installed = (["prometheus", "metricsAdapter", "devicePlugin"] as const).filter(
    (part) => platform?.[part].mode === "install",
  );
  return team && imagesToBuild(team.images).length > 0 ? [...installed, "python"] : installed;
}

const NO_RATE =
  "the platform has no custom metrics API; switch platform.metricsAdapter on, or scale by cpu";

/** The keys that have pods scaled by their request rate, where a default does not: the model's, or its variants' own. */
function scaledByRate({ autoscale, variants }: TeamConfig["models"][number], index: number) {
  const model = `team.models[${index}]`;
  const byRate = (own: typeof autoscale | undefined) => own?.kind === "requestRate";
  const inherited = variants.length === 0 || variants.some((variant) => !variant.autoscale);
  return [
    ...(inherited && byRate(autoscale) ? [`${model}.autoscale.kind`] : []),
    ...variants.flatMap((variant, place) =>
      byRate(variant.autoscale) ? [`${model}.variants[${place}].autoscale.kind`] : [],
    ),
  ];
}

/** What a team wants that its platform does not have. */
export function unmetWishes(
  { models, training }: Pick<TeamConfig, "models" | "training">,
  platform: PlatformContract,
): string[] {
  const rates = models.flatMap((model, index) =>
    platform.requestRate ? [] : scaledByRate(model, index).map((key) => `${key}: ${NO_RATE}`),
  );
  const splits = models.flatMap(({ variants }, index) =>
    variants.length > 1 && !platform.gateway
      ? [
          `team.models[${index}].variants: the platform has no Gateway to split requests between them; switch platform.gateway on, or leave one variant`,
        ]
      : [],
  );
  const containers = { models: models.map(variantsOf), training: training.map((job) => [job]) };
  const gpus = Object.entries(containers).flatMap(([list, entries]) =>
    entries.flatMap((variants, index) =>
      variants.some(({ resources }) => resources.gpus > 0) && !platform.gpus
        ? [
            `team.${list}[${index}].resources.gpus: the platform offers no GPUs; switch platform.devicePlugin on, or ask for none`,
          ]
        : [],
    ),
  );
  return [...rates, ...splits, ...gpus];
}

/** A team's namespace is its own: the platform's must be none of it. */
function namespaceProblems({ team }: Config, contract: PlatformContract): string[] {
  const taken = [
    contract.ingress.namespace,
    contract.monitoringNamespace,
    contract.namespace,
    gpuNamespace(contract.namespace),
  ];
  return team && taken.includes(team.name)
    ? ["team.name: is a namespace of the platform; choose another name"]
    : [];
}

/** Files that the configuration names and that are not there. */
export function missingFiles({
  cluster,
  images,
  team,
}: Pick<Config, "cluster" | "images" | "team">): string[] {
  const builds = team && imagesToBuild(team.images).length > 0;
  const files = {
    "cluster.kubeconfig": cluster.kubeconfig,
    "images.context": builds ? images.context : undefined,
    "images.caFile": builds ? images.caFile : undefined,
  };
  return Object.entries(files).flatMap(([key, path]) =>
    path && !existsSync(path)
      ? [`${key}: there is no ${path}; correct the path, or make the file`]
      : [],
  );
}

function imageProblems(config: Config): { source: ImageSource; problems: string[] } {
  const { lock } = config.images;
  const remedy = `run \`npm run images:lock -- --stack ${pulumi.getStack()}\``;
  const needed = neededImages(config);
  if (needed.length === 0) return { source: new ImageSource({}, undefined), problems: [] };
  try {
    const source = ImageSource.load(config.images);
    const problems = needed
      .filter((entry) => !source.has(entry))
      .map((entry) => `images.lock: ${lock} has no digest for ${CATALOGUE[entry]}; ${remedy}`);
    return { source, problems };
  } catch (error) {
    const problems = [
      `images.lock: ${lock} cannot be read (${(error as Error).message}); ${remedy}`,
    ];
    return { source: new ImageSource({}, undefined), problems };
  }
}

/**
 * Checks what the schema alone cannot: files, digests, and what a team wants against what its platform has. It runs before
 * the first resource is declared.
 * @returns where the catalogue's images come from
 * @throws pulumi.RunError naming every problem and its remedy
 */
export function preflight(config: Config, platform: PlatformContract): ImageSource {
  const { source, problems: imageIssues } = imageProblems(config);
  const problems = [
    ...namespaceProblems(config, platform),
    ...missingFiles(config),
    ...imageIssues,
    ...(config.team ? unmetWishes(config.team, platform) : []),
  ];
  if (problems.length > 0) throw new pulumi.RunError(problemReport(problems));
  return source;
}
