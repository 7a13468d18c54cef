import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

/**
 * An image by digest. A tag is resolved by its registry; a reference with a digest, or an output, is taken as it is.
 * @param opts of the call that resolves it
 */
export function pinned(
  reference: pulumi.Input<string>,
  opts: pulumi.InvokeOptions,
): pulumi.Output<string> {
  if (typeof reference !== "string" || reference.includes("@")) {
    return pulumi.output(reference);
  }
  const { sha256Digest } = docker.getRegistryImageOutput({ name: reference }, opts);
  return pulumi.interpolate`${reference}@${sha256Digest}`;
}
