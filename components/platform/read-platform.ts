import * as pulumi from "@pulumi/pulumi";
import { contractSchema, type PlatformContract } from "./contract";
import { contractOf, type PlatformConfig } from "./schema";

/** What a stack knows of its platform before it creates anything. */
export interface KnownPlatform {
  readonly contract: PlatformContract;
  /** Certificate (PEM) of the CA of a platform in another stack, if that has one of its own. */
  readonly certificateAuthority?: string;
}

/**
 * The platform in this stack or, if the stack has only a team, in another stack.
 * @param platformStack name of that stack
 * @throws pulumi.RunError when that stack has no platform, is not deployed yet, or was deployed by another version
 */
export async function readPlatform(
  platform: PlatformConfig | undefined,
  platformStack = "",
): Promise<KnownPlatform> {
  if (platform) {
    return { contract: contractOf(platform) };
  }
  const reference = new pulumi.StackReference(platformStack);
  const { value } = await reference.getOutputDetails("platform");
  const contract = contractSchema.safeParse(value);
  if (!contract.success) {
    throw new pulumi.RunError(
      `platformStack: ${platformStack} has no output "platform" that this version can read; update that stack first, or correct the name`,
    );
  }
  const { value: certificateAuthority } = await reference.getOutputDetails("certificateAuthority");
  return { contract: contract.data, certificateAuthority };
}
