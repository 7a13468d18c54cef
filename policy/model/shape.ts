import type { ContainerSpec, PodSpec } from "./kubernetes";
import { isUnknown, knownEntries, knownField } from "./unknown";

/** The fields of a pod that list its containers, by their roles. */
export const CONTAINER_FIELDS = {
  init: "initContainers",
  main: "containers",
  ephemeral: "ephemeralContainers",
} as const;

/** What only a pod can set, and no other thing is known by. */
const POD_ONLY = ["hostNetwork", "hostPID", "hostIPC", "hostAliases"] as const;

/** Beside a security context, these tell a container from a pod. */
const CONTAINER_ONLY = ["image", "env", "args", "command", "ports", "resources"] as const;
const CONTAINER_CONTEXT = [
  "privileged",
  "allowPrivilegeEscalation",
  "capabilities",
  "procMount",
  "readOnlyRootFilesystem",
] as const;

/** True for a plain object: neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether an object lists containers, or it is not known whether it does. */
export function listsContainers(node: object): boolean {
  return Object.values(CONTAINER_FIELDS).some(
    (field) => isUnknown(node, field) || isListOfRecords(knownField(node, field)),
  );
}

/** Whether an object is a pod's spec, or a part of one that an operator completes. */
export function isPodSpec(node: object): node is PodSpec {
  return (
    listsContainers(node) ||
    // Not where an object of them describes the field, as a CustomResourceDefinition does.
    POD_ONLY.some((field) => has(node, field) && !isRecord(knownField(node, field))) ||
    isListOfRecords(knownField(node, "volumes")) ||
    (isRecord(knownField(node, "securityContext")) && !isContainer(node))
  );
}

/** Whether an object is a container, or a part of one that an operator completes. */
export function isContainer(node: object): node is ContainerSpec {
  const context = knownField(node, "securityContext");
  return isRecord(context)
    ? CONTAINER_ONLY.some((field) => has(node, field)) ||
        CONTAINER_CONTEXT.some((field) => has(context, field))
    : isListOfRecords(knownField(node, "env")) ||
        (has(node, "image") && (has(node, "args") || has(node, "command")));
}

/** Whether a field is set, to whatever. */
function has(node: object, field: string): boolean {
  return isUnknown(node, field) || (knownField(node, field) ?? null) !== null;
}

function isListOfRecords(value: unknown): boolean {
  return Array.isArray(value) && knownEntries(value).some(([, one]) => isRecord(one));
}
