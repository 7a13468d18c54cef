import type { PodSecurityContext } from "../model/kubernetes";
import { isRoot, isWindows, STANDARD } from "./pod-security/values";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const CONTEXT = "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/";

/** Rules for containers in addition to the Pod Security Standards. */
export const HARDENING_RULES: readonly Rule[] = [
  {
    ...base,
    name: "read-only-root",
    description: "A container cannot change the files of its image.",
    remedy:
      "Set securityContext.readOnlyRootFilesystem to true, and mount an emptyDir to write to.",
    url: CONTEXT,
    container: ({ spec, pod }) =>
      isWindows(pod.spec) || spec.securityContext?.readOnlyRootFilesystem === true
        ? undefined
        : "securityContext.readOnlyRootFilesystem is not true",
  },
  {
    ...base,
    name: "root-group",
    description: "No process is in the group root, which owns many files of an image.",
    remedy: "Use a group above 10000.",
    url: CONTEXT,
    pod: ({ spec }) => rootGroups(spec.securityContext ?? {}),
    container: ({ spec }) => rootGroups(spec.securityContext ?? {}),
  },
  {
    ...base,
    name: "high-user-id",
    level: "advisory",
    description: "User ids are above those of the users of a node.",
    remedy: "Set securityContext.runAsUser to an id above 10000.",
    url: CONTEXT,
    container({ spec, pod }) {
      const id = spec.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
      return isWindows(pod.spec) || Number(id ?? 0) > 10_000
        ? undefined
        : "securityContext.runAsUser is not above 10000";
    },
  },
  {
    ...base,
    name: "debug-containers",
    description: "Ephemeral containers are added manually for debugging, and not by a stack.",
    remedy: "Remove ephemeralContainers, and use kubectl debug.",
    url: STANDARD,
    pod: ({ spec }) =>
      (spec.ephemeralContainers ?? []).length > 0 ? "ephemeralContainers is not empty" : undefined,
  },
  {
    ...base,
    name: "host-aliases",
    level: "advisory",
    description: "Host names are resolved by DNS, with the same result in all pods.",
    remedy: "Remove hostAliases.",
    pod: ({ spec }) => ((spec.hostAliases ?? []).length > 0 ? "hostAliases is set" : undefined),
  },
  {
    ...base,
    name: "container-ports",
    description: "Containers do not listen on privileged ports or the port of SSH.",
    remedy: "Listen on a port from 1024 upwards; a Service can still offer port 80.",
    container: ({ spec }) =>
      (spec.ports ?? []).flatMap(({ containerPort }, index) =>
        Number(containerPort ?? 0) >= 1024 ? [] : `ports[${index}].containerPort is below 1024`,
      ),
  },
];

function rootGroups({ runAsGroup, fsGroup, supplementalGroups }: PodSecurityContext): string[] {
  return [
    isRoot(runAsGroup) ? "securityContext.runAsGroup is 0" : "",
    isRoot(fsGroup) ? "securityContext.fsGroup is 0" : "",
    (supplementalGroups ?? []).some(isRoot) ? "securityContext.supplementalGroups contains 0" : "",
  ].filter((problem) => problem !== "");
}
