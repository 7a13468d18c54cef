/** The components and the types of their arguments. All other modules are internal. */
export { CATALOGUE, type CatalogueEntry } from "./images/catalogue";
export type { ImageBuild } from "./images/schema";
export { type ImageLock, ImageSource } from "./images/source";
export type { PodSettings } from "./kubernetes/pod-settings";
export { MetricsAdapter, type MetricsAdapterArgs } from "./platform/autoscaling/metrics-adapter";
export { CertManager, type CertManagerArgs } from "./platform/certificates/cert-manager";
export type { CertManagerImages } from "./platform/certificates/chart-values";
export { Issuers, type IssuersArgs } from "./platform/certificates/issuers";
export { Chart, type ChartArgs, type ChartSource } from "./platform/chart";
export type { PlatformContract } from "./platform/contract";
export { DevicePlugin, type DevicePluginArgs } from "./platform/gpu/device-plugin";
export { Prometheus, type PrometheusArgs } from "./platform/monitoring/prometheus";
export { Platform, type PlatformArgs } from "./platform/platform";
export { DataFetch, type DataFetchArgs } from "./team/data/data-fetch";
export { TeamImages, type TeamImagesArgs } from "./team/images/team-images";
export { TeamNamespace, type TeamNamespaceArgs } from "./team/namespace/team-namespace";
export { ModelService, type ModelServiceArgs } from "./team/serving/model-service";
export { Team, type TeamArgs } from "./team/team";
export {
  type TrackingSecrets,
  TrackingServer,
  type TrackingServerArgs,
} from "./team/tracking/tracking-server";
export { TrainingJob, type TrainingJobArgs } from "./team/training/training-job";
