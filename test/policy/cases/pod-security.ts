import { deployment } from "../objects";
import type { RuleCases } from "./case";

const POD = "[0].spec.template.spec";
const CONTAINER = `${POD}.containers[0]`;
const pod = "spec.template.spec";
const container = `${pod}.containers[0]`;
const good = [deployment];
const windows = { [`${POD}.os`]: { name: "windows" } };
const AppArmor =
  "[0].spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/app]";

/** A few cases for each rule; the test data of the admission controller has all cases. */
export const POD_SECURITY_CASES: Readonly<Record<string, RuleCases>> = {
  "app-armor-profile": {
    good,
    passes: { localhost: { [AppArmor]: "localhost/profile" } },
    fails: {
      annotation: [
        { [AppArmor]: "unconfined" },
        `${pod}.an annotation container.apparmor.security.beta.kubernetes.io/* disables AppArmor`,
      ],
      pod: [
        { [`${POD}.securityContext.appArmorProfile`]: { type: "Unconfined" } },
        `${pod}.securityContext.appArmorProfile.type is not RuntimeDefault or Localhost`,
      ],
    },
  },
  "capabilities-added": {
    good,
    passes: {
      "of the default set": { [`${CONTAINER}.securityContext.capabilities.add`]: ["CHOWN"] },
    },
    fails: {
      NET_RAW: [
        { [`${CONTAINER}.securityContext.capabilities.add`]: ["NET_RAW"] },
        `${container}.securityContext.capabilities.add goes beyond the default set`,
      ],
    },
  },
  "host-namespaces": {
    good,
    passes: { off: { [`${POD}.hostNetwork`]: false, [`${POD}.hostPID`]: null } },
    fails: {
      all: [
        { [`${POD}.hostNetwork`]: true, [`${POD}.hostPID`]: true, [`${POD}.hostIPC`]: true },
        `${pod}.hostNetwork is true`,
        `${pod}.hostPID is true`,
        `${pod}.hostIPC is true`,
      ],
      "a string instead of false": [{ [`${POD}.hostPID`]: "false" }, `${pod}.hostPID is true`],
    },
  },
  "host-path-volumes": {
    good,
    fails: {
      "the socket of a container runtime": [
        { [`${POD}.volumes[0].hostPath`]: { path: "/run/containerd/containerd.sock" } },
        `${pod}.volumes[0].hostPath is set`,
      ],
    },
  },
  "host-ports": {
    good,
    passes: { zero: { [`${CONTAINER}.ports[0].hostPort`]: 0 } },
    fails: {
      set: [{ [`${CONTAINER}.ports[0].hostPort`]: 8080 }, `${container}.ports[0].hostPort is set`],
    },
  },
  "probe-hosts": {
    good,
    fails: {
      probe: [
        { [`${CONTAINER}.livenessProbe.httpGet.host`]: "metadata" },
        `${container}.livenessProbe.httpGet.host is set`,
      ],
      hook: [
        { [`${CONTAINER}.lifecycle.preStop`]: { tcpSocket: { host: "metadata" } } },
        `${container}.lifecycle.preStop.tcpSocket.host is set`,
      ],
    },
  },
  privileged: {
    good,
    fails: {
      set: [
        { [`${CONTAINER}.securityContext.privileged`]: true },
        `${container}.securityContext.privileged is true`,
      ],
    },
  },
  "proc-mount": {
    good,
    passes: { default: { [`${CONTAINER}.securityContext.procMount`]: "Default" } },
    fails: {
      unmasked: [
        { [`${CONTAINER}.securityContext.procMount`]: "Unmasked" },
        `${container}.securityContext.procMount is not Default`,
      ],
    },
  },
  "se-linux-options": {
    good,
    passes: { container: { [`${POD}.securityContext.seLinuxOptions`]: { type: "container_t" } } },
    fails: {
      all: [
        { [`${POD}.securityContext.seLinuxOptions`]: { type: "spc_t", user: "u", role: "r" } },
        `${pod}.securityContext.seLinuxOptions.type is not a container type`,
        `${pod}.securityContext.seLinuxOptions.user is set`,
        `${pod}.securityContext.seLinuxOptions.role is set`,
      ],
    },
  },
  "seccomp-unconfined": {
    good,
    passes: { absent: { [`${POD}.securityContext`]: undefined } },
    fails: {
      container: [
        { [`${CONTAINER}.securityContext.seccompProfile`]: { type: "Unconfined" } },
        `${container}.securityContext.seccompProfile.type is not RuntimeDefault or Localhost`,
      ],
    },
  },
  sysctls: {
    good,
    passes: { safe: { [`${POD}.securityContext.sysctls`]: [{ name: "net.ipv4.tcp_rmem" }] } },
    fails: {
      kernel: [
        { [`${POD}.securityContext.sysctls`]: [{ name: "kernel.msgmax" }] },
        `${pod}.securityContext.sysctls[0] is not safe`,
      ],
    },
  },
  "windows-host-process": {
    good,
    fails: {
      pod: [
        { [`${POD}.securityContext.windowsOptions`]: { hostProcess: true } },
        `${pod}.securityContext.windowsOptions.hostProcess is true`,
      ],
    },
  },
  "privilege-escalation": {
    good,
    passes: { windows: { ...windows, [`${CONTAINER}.securityContext`]: undefined } },
    fails: {
      "no security context": [
        { [`${CONTAINER}.securityContext`]: null },
        `${container}.securityContext.allowPrivilegeEscalation is not false`,
      ],
      "an init container": [
        { [`${POD}.initContainers`]: [{ name: "init" }] },
        `${pod}.initContainers[0].securityContext.allowPrivilegeEscalation is not false`,
      ],
      "an ephemeral container": [
        { [`${POD}.ephemeralContainers`]: [{ name: "debug" }] },
        `${pod}.ephemeralContainers[0].securityContext.allowPrivilegeEscalation is not false`,
      ],
    },
  },
  "capabilities-dropped": {
    good,
    passes: {
      "the one that may be added": {
        [`${CONTAINER}.securityContext.capabilities.add`]: ["NET_BIND_SERVICE"],
      },
      windows: { ...windows, [`${CONTAINER}.securityContext`]: undefined },
    },
    fails: {
      both: [
        { [`${CONTAINER}.securityContext.capabilities`]: { add: ["CHOWN"] } },
        `${container}.securityContext.capabilities.drop does not contain ALL`,
        `${container}.securityContext.capabilities.add goes beyond NET_BIND_SERVICE`,
      ],
    },
  },
  "volume-types": {
    good,
    passes: { "without a source": { [`${POD}.volumes[0].emptyDir`]: undefined } },
    fails: {
      nfs: [
        { [`${POD}.volumes[0]`]: { name: "share", nfs: { server: "files" } } },
        `${pod}.volumes[0] has a type that is not allowed`,
      ],
    },
  },
  "run-as-non-root": {
    good,
    passes: {
      "set by every container": {
        [`${POD}.securityContext.runAsNonRoot`]: undefined,
        [`${CONTAINER}.securityContext.runAsNonRoot`]: true,
      },
    },
    fails: {
      "overridden by a container": [
        { [`${CONTAINER}.securityContext.runAsNonRoot`]: false },
        `${container}.securityContext.runAsNonRoot is not true`,
      ],
      "no security contexts": [
        { [`${POD}.securityContext`]: null, [`${CONTAINER}.securityContext`]: null },
        `${container}.securityContext.runAsNonRoot is not true`,
      ],
      "false in the pod, true in its container": [
        {
          [`${POD}.securityContext.runAsNonRoot`]: false,
          [`${CONTAINER}.securityContext.runAsNonRoot`]: true,
        },
        `${pod}.securityContext.runAsNonRoot is false`,
      ],
    },
  },
  "run-as-user": {
    good,
    passes: { absent: { [`${POD}.securityContext.runAsUser`]: undefined } },
    fails: {
      root: [{ [`${POD}.securityContext.runAsUser`]: 0 }, `${pod}.securityContext.runAsUser is 0`],
      "root in a container": [
        { [`${CONTAINER}.securityContext.runAsUser`]: 0 },
        `${container}.securityContext.runAsUser is 0`,
      ],
    },
  },
  "seccomp-profile": {
    good,
    passes: { windows: { ...windows, [`${POD}.securityContext`]: undefined } },
    fails: {
      absent: [
        { [`${POD}.securityContext.seccompProfile`]: undefined },
        `${container}.securityContext.seccompProfile.type is not RuntimeDefault or Localhost`,
      ],
    },
  },
};
