import type { Rule } from "../rule";
import { filtersSystemCalls, isRoot, isSet, isWindows, STANDARD } from "./values";

const base = { pack: "restricted", level: "mandatory", url: `${STANDARD}#restricted` } as const;

const VOLUMES: ReadonlySet<string> = new Set([
  ..."configMap csi downwardAPI emptyDir ephemeral image".split(" "),
  ..."persistentVolumeClaim projected secret".split(" "),
]);

/** Baseline checks that a restricted check replaces in Pod Security admission. */
export const OVERRIDDEN: ReadonlySet<string> = new Set([
  "capabilities_baseline",
  "hostPathVolumes",
  "seccompProfile_baseline",
]);

/** Pod Security Standard `restricted` as of Kubernetes 1.34, with the checks of its admission controller. */
export const RESTRICTED: Readonly<Record<string, Rule>> = {
  allowPrivilegeEscalation: {
    ...base,
    name: "privilege-escalation",
    description: "No process can gain more privileges than its parent process.",
    remedy: "Set it to false.",
    container: ({ spec, pod }) =>
      isWindows(pod.spec) || spec.securityContext?.allowPrivilegeEscalation === false
        ? undefined
        : "securityContext.allowPrivilegeEscalation is not false",
  },
  capabilities_restricted: {
    ...base,
    name: "capabilities-dropped",
    description: "A container drops all capabilities, and adds at most NET_BIND_SERVICE.",
    remedy: "Set securityContext.capabilities to drop: [ALL].",
    container({ spec, pod }) {
      if (isWindows(pod.spec)) {
        return undefined;
      }
      const { add, drop } = spec.securityContext?.capabilities ?? {};
      return [
        ...((drop ?? []).includes("ALL")
          ? []
          : ["securityContext.capabilities.drop does not contain ALL"]),
        ...((add ?? []).every((name) => name === "NET_BIND_SERVICE")
          ? []
          : ["securityContext.capabilities.add goes beyond NET_BIND_SERVICE"]),
      ];
    },
  },
  restrictedVolumes: {
    ...base,
    name: "volume-types",
    description: "Volumes have types that give no access outside of the pod's namespace.",
    remedy: "Use a persistentVolumeClaim, emptyDir, configMap or secret.",
    // A volume without a source is an emptyDir.
    pod: ({ spec }) =>
      (spec.volumes ?? []).flatMap((volume, index) =>
        Object.entries(volume).every(
          ([key, source]) => key === "name" || !isSet(source) || VOLUMES.has(key),
        )
          ? []
          : `volumes[${index}] has a type that is not allowed`,
      ),
  },
  runAsNonRoot: {
    ...base,
    name: "run-as-non-root",
    description: "No process runs as root.",
    remedy: "Set securityContext.runAsNonRoot to true for the pod or for every container.",
    pod: ({ spec }) =>
      (spec.securityContext?.runAsNonRoot ?? true) === true
        ? undefined
        : "securityContext.runAsNonRoot is false",
    container({ spec, pod }) {
      const own = spec.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
      return own === true ? undefined : "securityContext.runAsNonRoot is not true";
    },
  },
  runAsUser: {
    ...base,
    name: "run-as-user",
    description: "The user id is not that of root.",
    remedy: "Set securityContext.runAsUser to an id above 10000, or leave it out.",
    pod: ({ spec }) =>
      isRoot(spec.securityContext?.runAsUser) ? "securityContext.runAsUser is 0" : undefined,
    container: ({ spec }) =>
      isRoot(spec.securityContext?.runAsUser) ? "securityContext.runAsUser is 0" : undefined,
  },
  seccompProfile_restricted: {
    ...base,
    name: "seccomp-profile",
    description:
      "Seccomp is enabled, so that a process cannot attack its node with rare system calls.",
    remedy: "Set securityContext.seccompProfile.type of the pod to RuntimeDefault.",
    pod({ spec }) {
      const profile = spec.securityContext?.seccompProfile;
      return isWindows(spec) || !profile || filtersSystemCalls(profile)
        ? undefined
        : "securityContext.seccompProfile.type is not RuntimeDefault or Localhost";
    },
    container({ spec, pod }) {
      const profile =
        spec.securityContext?.seccompProfile ?? pod.spec.securityContext?.seccompProfile;
      return isWindows(pod.spec) || (profile && filtersSystemCalls(profile))
        ? undefined
        : "securityContext.seccompProfile.type is not RuntimeDefault or Localhost";
    },
  },
};
