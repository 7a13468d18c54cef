import type { PodSpec } from "../../model/kubernetes";

/** The Pod Security Standards. */
export const STANDARD = "https://kubernetes.io/docs/concepts/security/pod-security-standards/";

/** True unless a boolean is false or missing: a value of a wrong type counts as true. */
export function isOn(value: unknown): boolean {
  return isSet(value) && value !== false;
}

export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** True for the user or group id of root. */
export function isRoot(id: unknown): boolean {
  return isSet(id) && Number(id) === 0;
}

/** Windows has no Linux settings, so the standards exempt its pods from them. */
export function isWindows(spec: PodSpec): boolean {
  return spec.os?.name === "windows";
}

const SECCOMP_TYPES: ReadonlySet<unknown> = new Set(["RuntimeDefault", "Localhost"]);

/** Whether a seccomp profile filters system calls. */
export function filtersSystemCalls(profile: { type?: unknown }): boolean {
  return SECCOMP_TYPES.has(profile.type);
}
