import type { PodSpec } from "../../model/kubernetes";

/** The section of the standard that every rule of a pack implements. */
export const STANDARD = "https://kubernetes.io/docs/concepts/security/pod-security-standards/";

/** True unless a switch is off or absent: a value of a wrong type counts as on. */
export function isOn(value: unknown): boolean {
  return isSet(value) && value !== false;
}

export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** True for the id of root, as a user's or a group's. */
export function isRoot(id: unknown): boolean {
  return isSet(id) && Number(id) === 0;
}

/** Windows has none of the Linux settings, so the standard excuses its pods from them. */
export function isWindows(spec: PodSpec): boolean {
  return spec.os?.name === "windows";
}

const SECCOMP_TYPES: ReadonlySet<unknown> = new Set(["RuntimeDefault", "Localhost"]);

/** True where a seccomp profile is set, and to one that filters system calls. */
export function filtersSystemCalls(profile: { type?: unknown }): boolean {
  return SECCOMP_TYPES.has(profile.type);
}
