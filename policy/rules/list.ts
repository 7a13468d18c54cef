import { type MeasureImage, measureImage } from "../registry/size";
import { ACCESS_RULES } from "./access";
import { AVAILABILITY_RULES } from "./availability";
import { DOCKERFILE_RULES } from "./dockerfile";
import { HARDENING_RULES } from "./hardening";
import { IDENTITY_RULES } from "./identity";
import { imageSizeRules } from "./image-size";
import { IMAGE_RULES } from "./images";
import { JOB_RULES } from "./jobs";
import { METADATA_RULES } from "./metadata";
import { NAMESPACE_RULES } from "./namespaces";
import { NETWORK_RULES } from "./network";
import { BASELINE } from "./pod-security/baseline";
import { RESTRICTED } from "./pod-security/restricted";
import { RESOURCE_RULES } from "./resources";
import type { Rule } from "./rule";
import { SCALING_RULES } from "./scaling";
import { SECRET_RULES } from "./secrets";
import { stackFileRule } from "./stack-file";
import { STORAGE_RULES } from "./storage";
import { TENANCY_RULES } from "./tenancy";

/**
 * All rules, in the order of the README.
 * @param measure measures the size of an image
 */
export const rulesWith = (measure: MeasureImage): readonly Rule[] => [
  ...Object.values(BASELINE),
  ...Object.values(RESTRICTED),
  ...IMAGE_RULES,
  ...imageSizeRules(measure),
  ...DOCKERFILE_RULES,
  ...RESOURCE_RULES,
  ...HARDENING_RULES,
  ...IDENTITY_RULES,
  ...SECRET_RULES,
  stackFileRule(),
  ...ACCESS_RULES,
  ...NAMESPACE_RULES,
  ...NETWORK_RULES,
  ...AVAILABILITY_RULES,
  ...SCALING_RULES,
  ...JOB_RULES,
  ...STORAGE_RULES,
  ...TENANCY_RULES,
  ...METADATA_RULES,
];

/** The rules of the pack, which contact registries. */
export const RULES: readonly Rule[] = rulesWith(measureImage);
