import { account, deployment, namespace } from "../objects";
import type { RuleCases } from "./case";

const POD = "[0].spec.template.spec";
const CONTAINER = `${POD}.containers[0]`;
const pod = "spec.template.spec";
const container = `${pod}.containers[0]`;
const good = [deployment];

/** Rules for resources, security contexts and accounts of pods. */
export const POD_CASES: Readonly<Record<string, RuleCases>> = {
  "resources-set": {
    good,
    fails: {
      nothing: [
        { [`${CONTAINER}.resources`]: null },
        `${container}.resources.requests does not have cpu, memory, ephemeral-storage`,
        `${container}.resources.limits does not have cpu, memory, ephemeral-storage`,
      ],
      "one limit": [
        { [`${CONTAINER}.resources.limits.memory`]: undefined },
        `${container}.resources.limits does not have memory`,
      ],
      "an init container": [
        { [`${POD}.initContainers`]: [{ resources: { limits: { cpu: 1 } } }] },
        `${pod}.initContainers[0].resources.requests does not have cpu, memory, ephemeral-storage`,
        `${pod}.initContainers[0].resources.limits does not have memory, ephemeral-storage`,
      ],
    },
  },
  "resource-ceiling": {
    good,
    config: { resources: { ceiling: { cpu: "2" } } },
    passes: { "equal to it": { [`${CONTAINER}.resources.limits.cpu`]: "2000m" } },
    fails: {
      above: [
        { [`${CONTAINER}.resources.limits.cpu`]: 2.1 },
        `${container}.resources.limits.cpu is above the ceiling`,
      ],
      "not a quantity": [
        { [`${CONTAINER}.resources.limits.memory`]: "1.5.2Gi" },
        `${container}.resources.limits.memory is not a quantity`,
      ],
      "a huge number": [
        { [`${CONTAINER}.resources.limits.memory`]: "1e30" },
        `${container}.resources.limits.memory is above the ceiling`,
      ],
    },
  },
  "limit-ratio": {
    good,
    passes: { "equal to it": { [`${CONTAINER}.resources.limits.memory`]: "256Mi" } },
    fails: {
      "far above its request": [
        { [`${CONTAINER}.resources.limits.memory`]: "1Gi" },
        `${container}.resources.limits.memory is more than 2 times its request`,
      ],
      "below its request": [
        { [`${CONTAINER}.resources.limits.cpu`]: "50m" },
        `${container}.resources.requests.cpu is above its limit`,
      ],
    },
  },
  "gpu-request": {
    good,
    passes: { "one, in limits": { [`${CONTAINER}.resources.limits[nvidia.com/gpu]`]: 1 } },
    fails: {
      "a fraction": [
        { [`${CONTAINER}.resources.limits[nvidia.com/gpu]`]: "0.5" },
        `${container}.resources of nvidia.com/gpu are not one integer`,
      ],
      "only requested": [
        { [`${CONTAINER}.resources.requests[amd.com/gpu]`]: 1 },
        `${container}.resources of amd.com/gpu are not one integer`,
      ],
      "too many": [
        { [`${CONTAINER}.resources.limits[nvidia.com/gpu]`]: 9 },
        `${container}.resources.limits.nvidia.com/gpu is above the maximum`,
      ],
    },
  },
  "scratch-limit": {
    good,
    fails: {
      "no size": [
        { [`${POD}.volumes[0].emptyDir`]: { medium: "Memory" } },
        `${pod}.volumes[0].emptyDir has no sizeLimit`,
      ],
    },
  },
  "read-only-root": {
    good,
    passes: {
      windows: { [`${POD}.os`]: { name: "windows" }, [`${CONTAINER}.securityContext`]: null },
    },
    fails: {
      absent: [
        { [`${CONTAINER}.securityContext`]: undefined },
        `${container}.securityContext.readOnlyRootFilesystem is not true`,
      ],
    },
  },
  "root-group": {
    good,
    passes: { others: { [`${POD}.securityContext.fsGroup`]: 65532 } },
    fails: {
      all: [
        {
          [`${POD}.securityContext.runAsGroup`]: 0,
          [`${POD}.securityContext.fsGroup`]: 0,
          [`${POD}.securityContext.supplementalGroups`]: [7, 0],
        },
        `${pod}.securityContext.runAsGroup is 0`,
        `${pod}.securityContext.fsGroup is 0`,
        `${pod}.securityContext.supplementalGroups contains 0`,
      ],
      "in a container": [
        { [`${CONTAINER}.securityContext.runAsGroup`]: 0 },
        `${container}.securityContext.runAsGroup is 0`,
      ],
    },
  },
  "high-user-id": {
    good,
    passes: { "of the container": { [`${CONTAINER}.securityContext.runAsUser`]: 10001 } },
    fails: {
      low: [
        { [`${POD}.securityContext.runAsUser`]: 1000 },
        `${container}.securityContext.runAsUser is not above 10000`,
      ],
      absent: [
        { [`${POD}.securityContext`]: null },
        `${container}.securityContext.runAsUser is not above 10000`,
      ],
    },
  },
  "debug-containers": {
    good,
    passes: { none: { [`${POD}.ephemeralContainers`]: [] } },
    fails: {
      one: [
        { [`${POD}.ephemeralContainers`]: [{ name: "debug" }] },
        `${pod}.ephemeralContainers is not empty`,
      ],
    },
  },
  "host-aliases": {
    good,
    passes: { none: { [`${POD}.hostAliases`]: [] } },
    fails: {
      one: [{ [`${POD}.hostAliases`]: [{ ip: "10.0.0.1" }] }, `${pod}.hostAliases is set`],
    },
  },
  "container-ports": {
    good,
    passes: { none: { [`${CONTAINER}.ports`]: null } },
    fails: {
      SSH: [
        { [`${CONTAINER}.ports`]: [{ containerPort: 8080 }, { containerPort: 22 }] },
        `${container}.ports[1].containerPort is below 1024`,
      ],
    },
  },
  "service-account-token": {
    good,
    fails: {
      absent: [
        { [`${POD}.automountServiceAccountToken`]: undefined },
        `${pod}.automountServiceAccountToken is not false`,
      ],
      "mounted as a volume": [
        { [`${POD}.volumes[1]`]: { projected: { sources: [{ serviceAccountToken: {} }] } } },
        `${pod}.volumes[1].projected has a serviceAccountToken`,
      ],
    },
  },
  "own-service-account": {
    good: [deployment, namespace, account],
    passes: { "a namespace of another stack": { "[1]": undefined, "[2]": undefined } },
    fails: {
      default: [
        { [`${POD}.serviceAccountName`]: "default" },
        `${pod}.serviceAccountName is the default of the namespace`,
      ],
      absent: [
        { [`${POD}.serviceAccountName`]: null },
        `${pod}.serviceAccountName is the default of the namespace`,
      ],
      "one that does not exist": [
        { "[2].metadata.namespace": "other" },
        `${pod}.serviceAccountName is not a ServiceAccount of this stack`,
      ],
    },
  },
};
