import { metricsAdapter } from "./autoscaling/feature";
import { certManager } from "./certificates/feature";
import { devicePlugin } from "./gpu/feature";
import { gateway, ingress } from "./ingress/feature";
import { prometheus } from "./monitoring/feature";

/** The features of a platform, by their keys in the configuration. */
export const PLATFORM_FEATURES = {
  ingress,
  gateway,
  certManager,
  prometheus,
  metricsAdapter,
  devicePlugin,
};
