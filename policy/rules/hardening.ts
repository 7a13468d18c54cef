import type { PodSecurityContext } from "../model/kubernetes";
import { isRoot, isWindows, STANDARD } from "./pod-security/values";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const CONTEXT = "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/";

/** What a process may do in its container, beyond the Pod Security Standards. */
export const HARDENING_RULES: readonly Rule[] = [
  {
    ...base,
    name: "read-only-root",
    about: "A container cannot change its own image's files.",
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
    about: "No process is in root's group, which owns much of what an image holds.",
    remedy: "Use a group above 10000.",
    url: CONTEXT,
    pod: ({ spec }) => rootGroups(spec.securityContext ?? {}),
    container: ({ spec }) => rootGroups(spec.securityContext ?? {}),
  },
  {
    ...base,
    name: "high-user-id",
    level: "advisory",
    about: "User ids are above those of a node's own users.",
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
    about: "Containers for debugging are put in by hand, for a while, and not by a stack.",
    remedy: "Remove ephemeralContainers, and use kubectl debug.",
    url: STANDARD,
    pod: ({ spec }) =>
      (spec.ephemeralContainers ?? []).length > 0 ? "ephemeralContainers is not empty" : undefined,
  },
  {
    ...base,
    name: "host-aliases",
    level: "advisory",
    about: "Names are looked up in DNS, where everybody sees the same.",
    remedy: "Remove hostAliases.",
    pod: ({ spec }) => ((spec.hostAliases ?? []).length > 0 ? "hostAliases is set" : undefined),
  },
  {
    ...base,
    name: "container-ports",
    about: "Containers listen above the ports that need rights, and never for SSH.",
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
    (supplementalGroups ?? []).some(isRoot) ? "securityContext.supplementalGroups holds 0" : "",
  ].filter((problem) => problem !== "");
}
