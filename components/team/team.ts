import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config";
import type { PlatformContract } from "../contract";
import type { ImageSource } from "../images";
import { labels } from "../kubernetes/labels";
import { volume } from "../kubernetes/volume";
import type { ImagesConfig } from "../schema";
import { ModelService } from "./model-service";
import type { ModelConfig, TeamConfig } from "./schema";
import { pinned, TeamImages } from "./team-images";
import { TeamNamespace } from "./team-namespace";
import { TrackingServer } from "./tracking-server";
import { TrainingJob } from "./training-job";

export interface TeamArgs {
  config: TeamConfig;
  platform: PlatformContract;
  images: ImagesConfig;
  source: ImageSource;
  owner: string;
  secrets: Config["secrets"];
  /** Protects the namespace and its volumes. */
  retainData: boolean;
}

/** What a team has: a namespace, images, tracking, training and models. */
export class Team extends pulumi.ComponentResource {
  /** Where each model's predictions are asked for, by its name. */
  readonly models: Record<string, string>;
  /** The address of MLflow's UI, where the Ingress serves it. */
  readonly trackingUrl: string | undefined;

  constructor(name: string, args: TeamArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:Team", name, {}, opts);
    const { config, platform, source, owner, secrets, retainData } = args;
    const namespace = config.name;
    const child = { parent: this };

    const room = new TeamNamespace(
      `${name}-namespace`,
      { owner, config, ingress: platform.ingress, retainData },
      child,
    );
    const inNamespace = { ...child, dependsOn: [room] };
    const images = new TeamImages(
      `${name}-images`,
      { team: namespace, prebuilt: config.images, build: args.images, source },
      child,
    );
    const data = volume(
      `${name}-data`,
      {
        namespace,
        labels: labels({
          name: "training-data",
          instance: namespace,
          component: "training",
          owner,
        }),
      },
      config.data,
      { ...inNamespace, protect: retainData },
    );
    const tracking = new TrackingServer(
      `${name}-tracking`,
      {
        namespace,
        image: images.tracking,
        owner,
        settings: config.tracking,
        secrets,
        platform,
        retainData,
      },
      inNamespace,
    );
    const trackingUri = tracking.uri;
    const jobs: { model: string; job: TrainingJob }[] = [];
    for (const settings of config.training) {
      // One after another, as they share a volume that one node mounts at a time.
      const before = jobs.map(({ job }) => job);
      const job = new TrainingJob(
        `${name}-train-${settings.name}`,
        {
          namespace,
          image: images.training,
          owner,
          settings,
          dataClaim: data.metadata.name,
          trackingUri,
        },
        { ...child, dependsOn: [tracking, ...before] },
      );
      jobs.push({ model: settings.model, job });
    }
    const serve = (settings: ModelConfig) => {
      const image = (own: string | undefined) => (own ? pinned(own, child) : images.serving);
      // A service can only become ready once its model is registered.
      const trainers = jobs.filter(({ model }) => model === settings.name).map(({ job }) => job);
      return new ModelService(
        `${name}-serve-${settings.name}`,
        { namespace, image, owner, settings, trackingUri, platform },
        { ...child, dependsOn: [tracking, ...trainers] },
      );
    };
    this.models = Object.fromEntries(
      config.models.map((settings) => [settings.name, serve(settings).url]),
    );
    this.trackingUrl = tracking.url;
    this.registerOutputs({ models: this.models, trackingUrl: this.trackingUrl });
  }
}
