import { AUTOSCALING_EXEMPTIONS } from "./autoscaling";
import type { BuiltInExemption } from "./built-in";
import { CERTIFICATES_EXEMPTIONS } from "./certificates";
import { DATA_EXEMPTIONS } from "./data";
import { GPU_EXEMPTIONS } from "./gpu";
import { MONITORING_EXEMPTIONS } from "./monitoring";
import { PLATFORM_EXEMPTIONS } from "./platform";
import { TRACKING_EXEMPTIONS } from "./tracking";

/** The built-in exemptions of all features. A stack's own exemptions are in its policy configuration. */
export const BUILT_IN_EXEMPTIONS: readonly BuiltInExemption[] = [
  ...PLATFORM_EXEMPTIONS,
  ...MONITORING_EXEMPTIONS,
  ...AUTOSCALING_EXEMPTIONS,
  ...CERTIFICATES_EXEMPTIONS,
  ...GPU_EXEMPTIONS,
  ...TRACKING_EXEMPTIONS,
  ...DATA_EXEMPTIONS,
];
