import * as pulumi from "@pulumi/pulumi";
import { labels } from "../../kubernetes/labels";
import { volume } from "../../kubernetes/volume";
import { type DataConfig, OWN_VOLUME } from "./schema";

/** The team that has the volumes. */
export interface VolumesOwner {
  readonly team: string;
  readonly namespace: pulumi.Input<string>;
  readonly owner: string;
}

/**
 * The volumes of a team's data.
 * @returns the names of their claims, by volume
 */
export function dataVolumes(
  name: string,
  { claim, volumes, ...own }: DataConfig,
  { team, namespace, owner }: VolumesOwner,
  opts: pulumi.CustomResourceOptions,
): Record<string, pulumi.Output<string>> {
  const identity = { name: "training-data", instance: team, component: "training", owner };
  const metadata = { namespace, labels: labels(identity) };
  const first = claim
    ? pulumi.output(claim)
    : volume(`${name}-data`, metadata, own, opts).metadata.name;
  const others = volumes.map((one) => {
    // The name is fixed, as other pods mount it by its name.
    const named = { ...metadata, name: one.name };
    return [one.name, volume(`${name}-data-${one.name}`, named, one, opts).metadata.name];
  });
  return { [OWN_VOLUME]: first, ...Object.fromEntries(others) };
}
