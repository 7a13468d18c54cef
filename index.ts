import * as k8s from "@pulumi/kubernetes";
import { loadConfig } from "./components/config";
import { platformContract } from "./components/contract";
import { lookupIn } from "./components/kubernetes/client";
import { ownedByStack, stackIdentity } from "./components/kubernetes/ownership";
import { Platform } from "./components/platform/platform";
import { preflight } from "./components/preflight";
import { Team } from "./components/team/team";

/**
 * The program that `pulumi up` runs: what a cluster has once, and what a team has, as the stack's configuration says.
 * @returns the stack's outputs
 */
export = async () => {
  const config = loadConfig();
  const contract = await platformContract(config);
  const source = preflight(config, contract);
  const { owner, retainData, secrets, cluster } = config;
  const provider = new k8s.Provider("cluster", cluster);
  const transformations = [ownedByStack(stackIdentity(config.id), lookupIn(cluster))];

  const platform =
    config.platform &&
    new Platform(
      "platform",
      { config: config.platform, contract, images: source, owner, retainData },
      { provider, transformations },
    );
  const team =
    config.team &&
    new Team(
      config.team.name,
      {
        config: config.team,
        platform: contract,
        images: config.images,
        source,
        owner,
        secrets,
        retainData,
      },
      { provider, transformations, dependsOn: platform ? [platform] : [] },
    );

  return {
    /** What team stacks read. */
    platform: contract,
    ...(platform?.prometheusUrl && { prometheusUrl: platform.prometheusUrl }),
    ...(team?.trackingUrl && { trackingUrl: team.trackingUrl }),
    ...(team && { models: team.models }),
  };
};
