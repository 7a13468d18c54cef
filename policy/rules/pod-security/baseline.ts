import type { Handler, Maybe, SharedSecurityContext } from "../../model/kubernetes";
import type { Rule } from "../rule";
import { filtersSystemCalls, isOn, isSet, STANDARD } from "./values";

const base = { pack: "baseline", level: "mandatory", url: `${STANDARD}#baseline` } as const;

const ADDABLE: ReadonlySet<unknown> = new Set([
  ..."AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE".split(" "),
  ..."SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(" "),
]);

const APP_ARMOR_TYPES: ReadonlySet<unknown> = new Set(["RuntimeDefault", "Localhost"]);
const APP_ARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";
const APP_ARMOR_VALUE = /^($|runtime\/default$|localhost\/)/;

const SE_LINUX_TYPES: ReadonlySet<unknown> = new Set([
  ..."container_t container_init_t container_kvm_t container_engine_t".split(" "),
  "",
]);

const SAFE_SYSCTLS: ReadonlySet<unknown> = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
]);

function appArmor({ appArmorProfile: profile }: SharedSecurityContext) {
  return isSet(profile) && !APP_ARMOR_TYPES.has(profile?.type)
    ? "securityContext.appArmorProfile.type is not RuntimeDefault or Localhost"
    : undefined;
}

function seLinux({ seLinuxOptions: options }: SharedSecurityContext): string[] {
  const place = "securityContext.seLinuxOptions";
  return [
    SE_LINUX_TYPES.has(options?.type ?? "") ? "" : `${place}.type is not a container type`,
    (options?.user ?? "") === "" ? "" : `${place}.user is set`,
    (options?.role ?? "") === "" ? "" : `${place}.role is set`,
  ].filter((problem) => problem !== "");
}

function seccomp({ seccompProfile: profile }: SharedSecurityContext) {
  return profile && !filtersSystemCalls(profile)
    ? "securityContext.seccompProfile.type is not RuntimeDefault or Localhost"
    : undefined;
}

function hostProcess({ windowsOptions: options }: SharedSecurityContext) {
  return isOn(options?.hostProcess)
    ? "securityContext.windowsOptions.hostProcess is true"
    : undefined;
}

function hosts(place: string, handler: Maybe<Handler>): string[] {
  return (["httpGet", "tcpSocket"] as const)
    .filter((kind) => (handler?.[kind]?.host ?? "") !== "")
    .map((kind) => `${place}.${kind}.host is set`);
}

/** Pod Security Standard `baseline` as of Kubernetes 1.34, with the checks of its admission controller. */
export const BASELINE: Readonly<Record<string, Rule>> = {
  appArmorProfile: {
    ...base,
    name: "app-armor-profile",
    description: "AppArmor is not disabled.",
    remedy: "Leave appArmorProfile out, or set its type to RuntimeDefault.",
    pod: ({ spec, metadata }) => [
      ...[appArmor(spec.securityContext ?? {}) ?? []].flat(),
      ...Object.entries(metadata.annotations ?? {})
        .filter(([key, value]) => key.startsWith(APP_ARMOR_ANNOTATION) && !allowsAppArmor(value))
        .map(() => `an annotation ${APP_ARMOR_ANNOTATION}* disables AppArmor`),
    ],
    container: ({ spec }) => appArmor(spec.securityContext ?? {}),
  },
  capabilities_baseline: {
    ...base,
    name: "capabilities-added",
    description: "No capability is added beyond the default set.",
    remedy: "Remove it from securityContext.capabilities.add.",
    container: ({ spec }) =>
      (spec.securityContext?.capabilities?.add ?? []).every((name) => ADDABLE.has(name))
        ? undefined
        : "securityContext.capabilities.add goes beyond the default set",
  },
  hostNamespaces: {
    ...base,
    name: "host-namespaces",
    description: "A pod does not use the host network, PID or IPC namespace.",
    remedy: "Remove it.",
    pod: ({ spec }) =>
      (["hostNetwork", "hostPID", "hostIPC"] as const)
        .filter((field) => isOn(spec[field]))
        .map((field) => `${field} is true`),
  },
  hostPathVolumes: {
    ...base,
    name: "host-path-volumes",
    description: "A pod does not mount files of its node, such as sockets of container runtimes.",
    remedy: "Use a persistentVolumeClaim, emptyDir, configMap or secret.",
    pod: ({ spec }) =>
      (spec.volumes ?? []).flatMap((volume, index) =>
        isSet(volume.hostPath) ? `volumes[${index}].hostPath is set` : [],
      ),
  },
  hostPorts: {
    ...base,
    name: "host-ports",
    description: "A pod does not use host ports.",
    remedy: "Remove hostPort, and reach the pod through a Service.",
    container: ({ spec }) =>
      (spec.ports ?? []).flatMap((port, index) =>
        (port.hostPort ?? 0) === 0 ? [] : `ports[${index}].hostPort is set`,
      ),
  },
  hostProbesAndHostLifecycle: {
    ...base,
    name: "probe-hosts",
    description:
      "Probes and hooks call only the pod itself, so that the kubelet does not send requests to other hosts.",
    remedy: "Remove host.",
    container: ({ spec }) => [
      ...(["livenessProbe", "readinessProbe", "startupProbe"] as const).flatMap((probe) =>
        hosts(probe, spec[probe]),
      ),
      ...(["postStart", "preStop"] as const).flatMap((hook) =>
        hosts(`lifecycle.${hook}`, spec.lifecycle?.[hook]),
      ),
    ],
  },
  privileged: {
    ...base,
    name: "privileged",
    description: "No container is privileged.",
    remedy: "Remove it.",
    container: ({ spec }) =>
      isOn(spec.securityContext?.privileged) ? "securityContext.privileged is true" : undefined,
  },
  procMount: {
    ...base,
    name: "proc-mount",
    description: "The default masks of /proc are not disabled.",
    remedy: "Remove procMount.",
    container: ({ spec }) =>
      (spec.securityContext?.procMount ?? "Default") === "Default"
        ? undefined
        : "securityContext.procMount is not Default",
  },
  seLinuxOptions: {
    ...base,
    name: "se-linux-options",
    description: "SELinux has a type for containers.",
    remedy: "Remove seLinuxOptions.",
    pod: ({ spec }) => seLinux(spec.securityContext ?? {}),
    container: ({ spec }) => seLinux(spec.securityContext ?? {}),
  },
  seccompProfile_baseline: {
    ...base,
    name: "seccomp-unconfined",
    description: "Seccomp is not disabled.",
    remedy: "Set seccompProfile.type to RuntimeDefault.",
    pod: ({ spec }) => seccomp(spec.securityContext ?? {}),
    container: ({ spec }) => seccomp(spec.securityContext ?? {}),
  },
  sysctls: {
    ...base,
    name: "sysctls",
    description: "A pod sets only safe sysctls, which are namespaced.",
    remedy: "Remove it.",
    pod: ({ spec }) =>
      (spec.securityContext?.sysctls ?? []).flatMap((sysctl, index) =>
        SAFE_SYSCTLS.has(sysctl.name) ? [] : `securityContext.sysctls[${index}] is not safe`,
      ),
  },
  windowsHostProcess: {
    ...base,
    name: "windows-host-process",
    description: "No container is a Windows HostProcess container.",
    remedy: "Remove it.",
    pod: ({ spec }) => hostProcess(spec.securityContext ?? {}),
    container: ({ spec }) => hostProcess(spec.securityContext ?? {}),
  },
};

function allowsAppArmor(value: unknown): boolean {
  return typeof value === "string" && APP_ARMOR_VALUE.test(value);
}
