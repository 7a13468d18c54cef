import * as pulumi from "@pulumi/pulumi";
import { contractSchema, type PlatformContract } from "./contract";
import { contractOf, type PlatformConfig } from "./schema";

/**
 * The contract of the platform in this stack or, if the stack has only a team, in another stack.
 * @param platformStack name of that stack
 * @throws pulumi.RunError when that stack has no platform, is not deployed yet, or was deployed by another version
 */
export async function readContract(
  platform: PlatformConfig | undefined,
  platformStack = "",
): Promise<PlatformContract> {
  if (platform) {
    return contractOf(platform);
  }
  const reference = new pulumi.StackReference(platformStack);
  const { value } = await reference.getOutputDetails("platform");
  const contract = contractSchema.safeParse(value);
  if (!contract.success) {
    throw new pulumi.RunError(
      `platformStack: ${platformStack} has no output "platform" that this version can read; update that stack first, or correct the name`,
    );
  }
  return contract.data;
}
