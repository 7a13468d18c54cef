import * as k8s from "@pulumi/kubernetes";
import { checkStack } from "./components/config/checks";
import { loadConfig } from "./components/config/load";
import { lookupIn } from "./components/kubernetes/client";
import { ownedByStack, stackIdentity } from "./components/kubernetes/ownership";
import { Platform } from "./components/platform/platform";
import { readPlatform } from "./components/platform/read-platform";
import { Team } from "./components/team/team";

/**
 * The program that `pulumi up` runs: a platform, a team, or both, as the stack's configuration says.
 * @returns the stack's outputs
 */
export = async () => {
  const config = loadConfig();
  const { contract, ...read } = await readPlatform(config.platform, config.platformStack);
  const imageSource = checkStack(config, contract);
  const { owner, retainData, secrets, cluster } = config;
  const provider = new k8s.Provider("cluster", cluster);
  const transformations = [ownedByStack(stackIdentity(config.id), lookupIn(cluster))];

  const platform =
    config.platform &&
    new Platform(
      "platform",
      { ...config.platform, imageSource, owner, retainData },
      { provider, transformations },
    );
  const team =
    config.team &&
    new Team(
      config.team.name,
      {
        ...config.team,
        platform: contract,
        imageBuild: config.images,
        imageSource,
        secrets,
        owner,
        retainData,
      },
      { provider, transformations, dependsOn: platform ? [platform] : [] },
    );

  const prometheusUrl = platform?.prometheus?.externalUrl;
  const trackingUrl = team?.tracking.externalUrl;
  const certificateAuthority = platform?.certificateAuthority ?? read.certificateAuthority;
  return {
    /** What team stacks read. */
    platform: contract,
    ...(certificateAuthority && { certificateAuthority }),
    ...(prometheusUrl && { prometheusUrl }),
    ...(trackingUrl && { trackingUrl }),
    ...(team && { models: team.models, data: team.data }),
  };
};
