import { z } from "zod";
import { platformSchema } from "./platform/schema";
import { imagesToBuild } from "./team/images";
import { teamSchema } from "./team/schema";
import { filePath, labelValue, registry, text } from "./vocabulary";

const clusterSchema = z.strictObject({
  kubeconfig: filePath.optional().describe("Kubeconfig file; default: the one that kubectl uses"),
  context: text.optional().describe("Context in it; default: its current context"),
});

const imagesSchema = z.strictObject({
  mirror: registry
    .optional()
    .describe(
      "Registry that holds copies of all third-party images under their full upstream names; default: upstream",
    ),
  lock: filePath
    .default("images.lock.json")
    .describe(
      "File of the third-party images' digests at the mirror or upstream, written by `npm run images:lock`",
    ),
  registry: registry
    .optional()
    .describe("Registry and path that built images are pushed to; needed to build"),
  builder: text.optional().describe("Buildx builder; default: buildx's current one"),
  context: filePath
    .default("app")
    .describe("Folder of the Dockerfile with the targets serving, training and mlflow"),
  caFile: filePath
    .optional()
    .describe(
      "CA bundle that package installs inside a build must trust, mounted as a build secret",
    ),
});

/**
 * The configuration of a stack: every key below the project's name in `Pulumi.<stack>.yaml`. A stack holds a platform, a
 * team, or both.
 */
export const stackSchema = z
  .strictObject({
    owner: labelValue
      .default("ml-platform")
      .describe("Who answers for the stack, set as a label on every resource"),
    retainData: z
      .boolean()
      .default(true)
      .describe(
        "Protects namespaces and volumes from deletion and replacement; false only where data is disposable",
      ),
    id: labelValue
      .optional()
      .describe(
        "Tells the stack apart from others of its name whose state is elsewhere; `npm start -- --context` makes one up",
      ),
    cluster: clusterSchema.prefault({}).describe("The Kubernetes cluster"),
    images: imagesSchema.prefault({}).describe("Where images come from and go to"),
    platform: platformSchema.optional().describe("What a cluster has once"),
    platformStack: z
      .string()
      .regex(
        /^[\w.-]+\/[\w.-]+\/[\w.-]+$/,
        "must be organization/project/stack, such as organization/ml-platform/platform",
      )
      .optional()
      .describe("The stack that holds the platform, where this one holds a team alone"),
    team: teamSchema.optional().describe("What each team has"),
    postgresPassword: text.optional().describe("Secret. Password of team.tracking.postgres"),
    s3AccessKeyId: text.optional().describe("Secret. Access key of team.tracking.s3"),
    s3SecretAccessKey: text.optional().describe("Secret. Secret key of team.tracking.s3"),
  })
  .superRefine((stack, context) => {
    for (const [path, message] of contradictions(stack)) {
      context.addIssue({ code: "custom", path, message });
    }
  });

/** A stack's keys, as far as they can contradict each other. */
interface Stack {
  platform?: unknown;
  platformStack?: string | undefined;
  team?: z.output<typeof teamSchema> | undefined;
  images: z.output<typeof imagesSchema>;
  postgresPassword?: string | undefined;
  s3AccessKeyId?: string | undefined;
  s3SecretAccessKey?: string | undefined;
}

/** What a stack's keys say together that each alone may say. */
function contradictions(stack: Stack): [string[], string][] {
  const found: [string[], string][] = [];
  const { team, images } = stack;
  if (!stack.platform && !team) {
    found.push([
      ["platform"],
      "neither platform nor team is set; write `platform: {}`, a team block, or both",
    ]);
  }
  if (team && !stack.platform && !stack.platformStack) {
    found.push([
      ["platformStack"],
      "a team needs a platform; write a platform block, or name the stack that has one",
    ]);
  }
  if (stack.platform && stack.platformStack) {
    found.push([["platformStack"], "this stack has a platform of its own; remove one of the two"]);
  }
  if (team && !images.registry && imagesToBuild(team.images).length > 0) {
    found.push([
      ["images", "registry"],
      "images are to be built but there is nowhere to push them; set it, or set team.images",
    ]);
  }
  if (team?.tracking.postgres && !stack.postgresPassword) {
    found.push([
      ["postgresPassword"],
      "is missing; run `pulumi config set --secret postgresPassword`",
    ]);
  }
  if (team?.tracking.s3 && (!stack.s3AccessKeyId || !stack.s3SecretAccessKey)) {
    found.push([
      ["s3AccessKeyId"],
      "is missing with s3SecretAccessKey; set both with `pulumi config set --secret`",
    ]);
  }
  return found;
}

/** The keys whose values must be Pulumi secrets. */
export const SECRET_KEYS = ["postgresPassword", "s3AccessKeyId", "s3SecretAccessKey"] as const;

/** A stack's configuration with every default filled in. */
export type StackConfig = z.output<typeof stackSchema>;
export type ImagesConfig = StackConfig["images"];
export type ClusterConfig = StackConfig["cluster"];
