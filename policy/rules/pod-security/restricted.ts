import type { Rule } from "../rule";
import { filtersSystemCalls, isRoot, isSet, isWindows, STANDARD } from "./values";

const base = { pack: "restricted", level: "mandatory", url: `${STANDARD}#restricted` } as const;

const VOLUMES: ReadonlySet<string> = new Set([
  ..."configMap csi downwardAPI emptyDir ephemeral image".split(" "),
  ..."persistentVolumeClaim projected secret".split(" "),
]);

/** Baseline checks that a restricted check takes the place of, as Pod Security admission has it. */
export const OVERRIDDEN: ReadonlySet<string> = new Set([
  "capabilities_baseline",
  "hostPathVolumes",
  "seccompProfile_baseline",
]);

/** Pod Security Standard `restricted` as of Kubernetes 1.34, by the names of its admission checks. */
export const RESTRICTED: Readonly<Record<string, Rule>> = {
  allowPrivilegeEscalation: {
    ...base,
    name: "privilege-escalation",
    about: "No process gets more rights than the one that started it.",
    remedy: "Set it to false.",
    container: ({ spec, pod }) =>
      isWindows(pod.spec) || spec.securityContext?.allowPrivilegeEscalation === false
        ? undefined
        : "securityContext.allowPrivilegeEscalation is not false",
  },
  capabilities_restricted: {
    ...base,
    name: "capabilities-dropped",
    about: "A container has no capability, NET_BIND_SERVICE at most.",
    remedy: "Set securityContext.capabilities to drop: [ALL].",
    container({ spec, pod }) {
      if (isWindows(pod.spec)) {
        return undefined;
      }
      const { add, drop } = spec.securityContext?.capabilities ?? {};
      return [
        ...((drop ?? []).includes("ALL")
          ? []
          : ["securityContext.capabilities.drop does not hold ALL"]),
        ...((add ?? []).every((name) => name === "NET_BIND_SERVICE")
          ? []
          : ["securityContext.capabilities.add goes beyond NET_BIND_SERVICE"]),
      ];
    },
  },
  restrictedVolumes: {
    ...base,
    name: "volume-types",
    about: "Volumes are of kinds that cannot reach outside of the pod's namespace.",
    remedy: "Use a persistentVolumeClaim, emptyDir, configMap or secret.",
    // A volume without a source becomes an emptyDir before it is admitted.
    pod: ({ spec }) =>
      (spec.volumes ?? []).flatMap((volume, index) =>
        Object.entries(volume).every(
          ([key, source]) => key === "name" || !isSet(source) || VOLUMES.has(key),
        )
          ? []
          : `volumes[${index}] is of a kind that is not allowed`,
      ),
  },
  runAsNonRoot: {
    ...base,
    name: "run-as-non-root",
    about: "No process is root in its container.",
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
    about: "No process is given root's user id.",
    remedy: "Set securityContext.runAsUser to an id above 10000, or leave it out.",
    pod: ({ spec }) =>
      isRoot(spec.securityContext?.runAsUser) ? "securityContext.runAsUser is 0" : undefined,
    container: ({ spec }) =>
      isRoot(spec.securityContext?.runAsUser) ? "securityContext.runAsUser is 0" : undefined,
  },
  seccompProfile_restricted: {
    ...base,
    name: "seccomp-profile",
    about: "Seccomp is on, so that a process cannot use rare system calls against its node.",
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
