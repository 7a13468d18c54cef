import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../config/errors";
import type { ImageBuild } from "../images/schema";
import type { ImageSource } from "../images/source";
import type { contractArgs } from "../platform/contract";
import { DataFetch, type DataFetchArgs } from "./data/data-fetch";
import { OWN_VOLUME } from "./data/schema";
import { dataVolumes } from "./data/volumes";
import { TeamImages } from "./images/team-images";
import { TeamNamespace } from "./namespace/team-namespace";
import { type TeamConfig, teamSchema } from "./schema";
import { ModelService } from "./serving/model-service";
import { type TrackingSecrets, TrackingServer } from "./tracking/tracking-server";
import { TrainingJob, type TrainingJobArgs } from "./training/training-job";

export interface TeamArgs extends z.input<typeof teamSchema> {
  /** What the platform offers. Default: an ingress controller, and neither request rates, a Gateway nor GPUs. */
  readonly platform?: z.input<typeof contractArgs>;
  /** How images are built. Required unless all `images` are given. */
  readonly imageBuild?: ImageBuild;
  /** Source of their base image. Required unless all `images` are given. */
  readonly imageSource?: ImageSource;
  /** Passwords of the tracking server's stores. Default: none. */
  readonly secrets?: TrackingSecrets;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
  /** Protects the namespace and its volumes from deletion. Default: true. */
  readonly retainData?: boolean;
}

/** A team: its namespace, images, tracking server, training jobs and model services. */
export class Team extends pulumi.ComponentResource {
  /** URLs for predictions, by model: outside of the cluster or, without an Ingress, inside. */
  readonly models: Record<string, pulumi.Output<string>>;
  /** Its volumes of data, for `ml-platform data`: an image that can copy files, and the claims of the volumes by name. */
  readonly data: { image: pulumi.Output<string>; claims: Record<string, pulumi.Output<string>> };
  /** Its MLflow. */
  readonly tracking: TrackingServer;

  constructor(name: string, args: TeamArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:Team", name, {}, opts);
    const {
      platform = {},
      imageBuild,
      imageSource,
      secrets,
      owner = "ml-platform",
      ...rest
    } = args;
    const { retainData = true, ...own } = rest;
    const config = parseArgs(teamSchema, own, name);
    const { name: team, quota, viewers } = config;
    const { ingress } = platform;
    const child = { parent: this };

    const { name: namespace } = new TeamNamespace(
      `${name}-namespace`,
      { team, quota, viewers, ingress, owner, retainData },
      child,
    );
    const images = new TeamImages(
      `${name}-images`,
      { team, ...config.images, imageBuild, imageSource },
      child,
    );
    const tracking = new TrackingServer(
      `${name}-tracking`,
      {
        ...config.tracking,
        namespace,
        image: images.tracking,
        secrets,
        ingress,
        owner,
        retainData,
      },
      child,
    );
    // Their tracking server is that of the namespace, by default.
    const common = { namespace, owner };
    const volumes = { ...child, protect: retainData };
    const claims = dataVolumes(name, config.data, { team, ...common }, volumes);
    this.data = { image: images.training, claims };
    const fetched = fetchData(name, config, { ...common, ...this.data }, child);
    const jobs = train(
      name,
      config,
      { ...common, image: images.training, dataClaim: claims[OWN_VOLUME] },
      { ...child, dependsOn: [tracking, ...fetched] },
    );
    const services = config.models.map((model) => {
      // A service becomes ready only when its model is registered.
      const trainers = jobs.filter((job) => job.model === model.name).map(({ job }) => job);
      const service = { ...model, ...common, image: model.image ?? images.serving, platform };
      const after = { ...child, dependsOn: [tracking, ...trainers] };
      const { url, externalUrl } = new ModelService(`${name}-serve-${model.name}`, service, after);
      return [model.name, externalUrl ?? url];
    });
    this.models = Object.fromEntries(services);
    this.tracking = tracking;
    this.registerOutputs({ models: this.models });
  }
}

/** The job that fetches files into the team's volumes, if there are any. */
function fetchData(
  name: string,
  { data: { sources, deadlineSeconds, pod } }: TeamConfig,
  common: Pick<DataFetchArgs, "namespace" | "owner" | "image" | "claims">,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Resource[] {
  const args = { ...common, sources, deadlineSeconds, pod };
  return sources.length > 0 ? [new DataFetch(`${name}-fetch`, args, opts)] : [];
}

/** One training job after another, as they share a volume that one node mounts at a time. */
function train(
  name: string,
  { training }: TeamConfig,
  common: Omit<TrainingJobArgs, "model">,
  opts: pulumi.ComponentResourceOptions & { dependsOn: pulumi.Resource[] },
): { model: string; job: TrainingJob }[] {
  const jobs: { model: string; job: TrainingJob }[] = [];
  for (const settings of training) {
    const dependsOn = [...opts.dependsOn, ...jobs.map(({ job }) => job)];
    const args = { ...settings, ...common };
    const job = new TrainingJob(`${name}-train-${settings.name}`, args, { ...opts, dependsOn });
    jobs.push({ model: settings.model, job });
  }
  return jobs;
}
