import { z } from "zod";
import { imagesSchema } from "../images/schema";
import type { Cluster } from "../kubernetes/client";
import { platformSchema } from "../platform/schema";
import { imagesToBuild } from "../team/images/schema";
import { teamSchema } from "../team/schema";
import { neededSecrets } from "../team/tracking/stores";
import { filePath, labelValue, text } from "./types";

const clusterSchema = z.strictObject({
  kubeconfig: filePath.optional().describe("Kubeconfig file; default: the one that kubectl uses"),
  context: text.optional().describe("Context of the kubeconfig file; default: its current context"),
}) satisfies z.ZodType<Cluster>;

/** The configuration of a stack: every key of the project in `Pulumi.<stack>.yaml`. A stack has a platform, a team, or both. */
export const stackSchema = z
  .strictObject({
    owner: labelValue
      .default("ml-platform")
      .describe("Owner of the stack, set as the label ml-platform/owner on every resource"),
    retainData: z
      .boolean()
      .default(true)
      .describe(
        "Protect namespaces and volumes from deletion and replacement; set it to false only if the data is disposable",
      ),
    id: labelValue
      .optional()
      .describe(
        "Distinguishes stacks of one name whose states are in different places; `npm start -- --context` creates one",
      ),
    cluster: clusterSchema.prefault({}).describe("The Kubernetes cluster"),
    images: imagesSchema.prefault({}).describe("Sources and destinations of images"),
    platform: platformSchema.optional().describe("Platform of the cluster"),
    platformStack: z
      .string()
      .regex(
        /^[\w.-]+\/[\w.-]+\/[\w.-]+$/,
        "must be organization/project/stack, such as organization/ml-platform/platform",
      )
      .optional()
      .describe("Stack with the platform, if this stack has only a team"),
    team: teamSchema.optional().describe("Team, with its training jobs and model services"),
    postgresPassword: text.optional().describe("Secret. Password of team.tracking.postgres"),
    s3AccessKeyId: text.optional().describe("Secret. Access key of team.tracking.s3"),
    s3SecretAccessKey: text.optional().describe("Secret. Secret key of team.tracking.s3"),
  })
  .superRefine((stack, context) => {
    for (const [path, message] of contradictions(stack)) {
      context.addIssue({ code: "custom", path, message });
    }
  });

/** The keys of a stack that can contradict each other. */
interface Stack {
  readonly platform?: unknown;
  readonly platformStack?: string | undefined;
  readonly team?: z.output<typeof teamSchema> | undefined;
  readonly images: z.output<typeof imagesSchema>;
  readonly postgresPassword?: string | undefined;
  readonly s3AccessKeyId?: string | undefined;
  readonly s3SecretAccessKey?: string | undefined;
}

/** Keys of a stack that contradict each other. */
function contradictions(stack: Stack): [string[], string][] {
  const found: [string[], string][] = [];
  const { team, images } = stack;
  if (!stack.platform && !team) {
    found.push([
      ["platform"],
      "neither platform nor team is set; add `platform: {}`, a team block, or both",
    ]);
  }
  if (team && !stack.platform && !stack.platformStack) {
    found.push([
      ["platformStack"],
      "a team needs a platform; add a platform block, or set platformStack",
    ]);
  }
  if (stack.platform && stack.platformStack) {
    found.push([["platformStack"], "must not be set with a platform block; remove one of the two"]);
  }
  if (team && !images.registry && imagesToBuild(team.images).length > 0) {
    found.push([["images", "registry"], "is needed to build images; set it, or set team.images"]);
  }
  for (const key of team ? neededSecrets(team.tracking) : []) {
    if (!stack[key]) {
      found.push([[key], `is missing; run \`pulumi config set --secret ${key}\``]);
    }
  }
  return found;
}

/** The keys whose values must be Pulumi secrets. */
export const SECRET_KEYS = ["postgresPassword", "s3AccessKeyId", "s3SecretAccessKey"] as const;

/** A stack's configuration with every default filled in. */
export type StackConfig = z.output<typeof stackSchema>;
