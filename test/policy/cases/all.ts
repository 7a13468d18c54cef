import { ACCESS_CASES } from "./access";
import type { RuleCases } from "./case";
import { IMAGE_CASES } from "./images";
import { METADATA_CASES } from "./metadata";
import { NAMESPACE_CASES } from "./namespaces";
import { NETWORK_CASES } from "./network";
import { POD_SECURITY_CASES } from "./pod-security";
import { POD_CASES } from "./pods";
import { SCALING_CASES } from "./scaling";
import { STACK_CASES } from "./stacks";
import { WORKLOAD_CASES } from "./workloads";

/** The test cases of each rule; rules that contact registries or read Dockerfiles have their own tests. */
export const CASES: Readonly<Record<string, RuleCases>> = {
  ...POD_SECURITY_CASES,
  ...POD_CASES,
  ...IMAGE_CASES,
  ...ACCESS_CASES,
  ...NAMESPACE_CASES,
  ...NETWORK_CASES,
  ...WORKLOAD_CASES,
  ...SCALING_CASES,
  ...STACK_CASES,
  ...METADATA_CASES,
};
