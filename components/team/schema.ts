import { z } from "zod";
import { collect, schemasOf } from "../config/features";
import { namespaceName, text } from "../config/types";
import { parseQuantity } from "../kubernetes/quantity";
import type { PlatformContract } from "../platform/contract";
import type { TeamFeature } from "./feature";
import { TEAM_FEATURES } from "./features";
import { teamImagesSchema } from "./images/schema";
import { quotaSchema } from "./namespace/schema";
import { QUOTA_KEYS, type QuotaKey, teamDemand } from "./quota";
import { LONGEST_JOB } from "./training/schema";

/** The settings of a team. */
export const teamSchema = z
  .strictObject({
    name: namespaceName.describe("Name of the team and of its namespace"),
    viewers: z
      .array(text)
      .default([])
      .describe("Groups that may read everything but Secrets in the namespace"),
    images: teamImagesSchema,
    quota: quotaSchema,
    ...schemasOf(TEAM_FEATURES),
  })
  .superRefine((team, context) => {
    // A value that is invalid itself would be reported again as a part of the sum.
    const valid = context.issues.length === 0;
    for (const { path, message } of [
      ...duplicateNames(team.training, "training"),
      ...duplicateNames(team.models, "models"),
      ...namesTooLong(team),
      ...(valid ? quotaExceeded(team) : []),
    ]) {
      context.addIssue({ code: "custom", path, message });
    }
  });

export type TeamConfig = z.output<typeof teamSchema>;

const FEATURES: Readonly<Record<string, TeamFeature<z.ZodType>>> = TEAM_FEATURES;

/** The required capabilities that the platform does not offer: one line for each, with key, reason and remedy. */
export function missingCapabilities(
  team: Pick<TeamConfig, keyof typeof TEAM_FEATURES>,
  platform: PlatformContract,
): string[] {
  return collect(FEATURES, team, (feature, settings, key) =>
    feature.missing?.(settings, platform).map((line) => `team.${key}${line}`),
  );
}

interface Contradiction {
  readonly path: (string | number)[];
  readonly message: string;
}

/** Names that are used twice: names of objects are made of them, `mlflow` is the tracking server's, and each variant has a Service. */
function duplicateNames(
  list: readonly { name: string; variants?: readonly { name: string }[] }[],
  key: string,
): Contradiction[] {
  const owned = list.map(({ name, variants = [] }) => [
    name,
    ...variants.map((variant) => `${name}-${variant.name}`),
  ]);
  return owned.flatMap((names, index) => {
    const taken = new Set(["mlflow", ...owned.slice(0, index).flat()]);
    return names.some((name) => taken.has(name))
      ? [{ path: [key, index, "name"], message: "is already in use; choose another name" }]
      : [];
  });
}

/** The most characters of `TEAM` and `JOB` together: the Job's name begins with `TEAM-train-JOB`. */
const LONGEST_NAMES = LONGEST_JOB - "-train-".length;

function namesTooLong({ name: team, training }: Pick<TeamConfig, "name" | "training">) {
  return training.flatMap(({ name }, index) =>
    team.length + name.length > LONGEST_NAMES
      ? [
          {
            path: ["training", index, "name"],
            message: `is too long: together with the team's name it has more than ${LONGEST_NAMES} characters; shorten one of them`,
          },
        ]
      : [],
  );
}

/** What the team requests beyond its quota. Otherwise some of its pods would never start. */
function quotaExceeded(team: TeamConfig): Contradiction[] {
  const requested = teamDemand(team);
  return QUOTA_KEYS.filter((key) => requested[key] > parseQuantity(`${team.quota[key]}`)).map(
    (key) => ({
      path: ["quota", key],
      message:
        `is ${team.quota[key]}, but the tracking server, all training jobs and all models at their maximum ` +
        `request ${inUnits(key, requested[key])}; increase it, or request less`,
    }),
  );
}

/** An amount in its usual unit. */
function inUnits(key: QuotaKey, amount: number): string {
  return key === "memory" || key === "storage"
    ? `${Math.ceil((amount / 2 ** 30) * 10) / 10}Gi`
    : `${amount}`;
}
