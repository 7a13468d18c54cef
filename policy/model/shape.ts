import type { ContainerSpec, PodSpec } from "./kubernetes";
import { isUnknown, knownEntries, knownField } from "./unknown";

/** The fields of a pod that list its containers, by their roles. */
export const CONTAINER_FIELDS = {
  init: "initContainers",
  main: "containers",
  ephemeral: "ephemeralContainers",
} as const;

/** Fields that only a pod has. */
const POD_ONLY = ["hostNetwork", "hostPID", "hostIPC", "hostAliases"] as const;

/** Fields that distinguish a container from a pod, in addition to the security context. */
const CONTAINER_ONLY = ["image", "env", "args", "command", "ports", "resources"] as const;
const CONTAINER_CONTEXT = [
  "privileged",
  "allowPrivilegeEscalation",
  "capabilities",
  "procMount",
  "readOnlyRootFilesystem",
] as const;

/** Whether a value is an object, and not null or a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether an object has a list of containers, or may have one that is not known yet. */
export function listsContainers(node: object): boolean {
  return Object.values(CONTAINER_FIELDS).some(
    (field) => isUnknown(node, field) || isListOfRecords(knownField(node, field)),
  );
}

/** Whether an object is a pod spec, or a partial one that an operator completes. */
export function isPodSpec(node: object): node is PodSpec {
  return (
    listsContainers(node) ||
    // Not if the fields are schemas, as in a CustomResourceDefinition.
    POD_ONLY.some((field) => has(node, field) && !isRecord(knownField(node, field))) ||
    isListOfRecords(knownField(node, "volumes")) ||
    (isRecord(knownField(node, "securityContext")) && !isContainer(node))
  );
}

/** Whether an object is a container, or a partial one that an operator completes. */
export function isContainer(node: object): node is ContainerSpec {
  const context = knownField(node, "securityContext");
  return isRecord(context)
    ? CONTAINER_ONLY.some((field) => has(node, field)) ||
        CONTAINER_CONTEXT.some((field) => has(context, field))
    : isListOfRecords(knownField(node, "env")) ||
        (has(node, "image") && (has(node, "args") || has(node, "command")));
}

/** Whether a field is set to any value. */
function has(node: object, field: string): boolean {
  return isUnknown(node, field) || (knownField(node, field) ?? null) !== null;
}

function isListOfRecords(value: unknown): boolean {
  return Array.isArray(value) && knownEntries(value).some(([, one]) => isRecord(one));
}
