import { expect, test } from "vitest";
import { podSecurityLabels, selectorLabels } from "../../../components/kubernetes/labels";
import { allowEgress, allowIngress, pods } from "../../../components/kubernetes/network";
import { httpProbes } from "../../../components/kubernetes/probes";
import { requirements } from "../../../components/kubernetes/resources";
import { restrictedPod, scratch } from "../../../components/kubernetes/security";

test("a pod's processes and volumes belong to a user without privileges", () => {
  expect(restrictedPod()).toEqual({
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    fsGroup: 65532,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  });
  expect(restrictedPod(1000)).toMatchObject({ runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 });
});

test("a selector has no label that could change, as selectors are immutable", () => {
  const identity = { name: "model-service", instance: "churn", owner: "me" } as const;
  expect(selectorLabels({ ...identity, component: "model-service" })).toEqual({
    "app.kubernetes.io/name": "model-service",
    "app.kubernetes.io/instance": "churn",
  });
});

test("a privileged namespace is audited for `restricted`", () => {
  const labels = podSecurityLabels("privileged");
  expect(labels["pod-security.kubernetes.io/enforce"]).toBe("privileged");
  expect(labels["pod-security.kubernetes.io/audit"]).toBe("restricted");
});

test("the limit of CPU can exceed its request; the limits of memory and GPUs are equal to their requests", () => {
  const resources = { cpu: "1", cpuLimit: "2", memory: "1Gi", ephemeralStorage: "1Gi" };
  expect(requirements({ ...resources, gpus: 2 }, "nvidia.com/mig-1g.5gb")).toEqual({
    requests: {
      cpu: "1",
      memory: "1Gi",
      "ephemeral-storage": "1Gi",
      "nvidia.com/mig-1g.5gb": "2",
    },
    limits: {
      cpu: "2",
      memory: "1Gi",
      "ephemeral-storage": "1Gi",
      "nvidia.com/mig-1g.5gb": "2",
    },
  });
  expect(requirements({ ...resources, gpus: 0 })).toEqual(requirements(resources));
});

test("the startup probe allows the given number of seconds", () => {
  const { startupProbe } = httpProbes({ live: "/live", ready: "/ready" }, "http", 90);
  expect(startupProbe).toMatchObject({ periodSeconds: 1, failureThreshold: 90 });
});

test("the scratch volume has a size limit", () => {
  const { volume, mount } = scratch("32Mi");
  expect(volume).toEqual({ name: mount.name, emptyDir: { sizeLimit: "32Mi" } });
  expect(mount.mountPath).toBe("/tmp");
});

test("an empty list of peers admits nobody, and allows connections to every host at the given ports", () => {
  expect(allowIngress({ app: "a" }, [], 80)).toMatchObject({
    policyTypes: ["Ingress"],
    ingress: [],
  });
  const [rule] = allowEgress({ app: "a" }, [], [443, 5432]).egress as { ports: unknown }[];
  expect(rule).toEqual({
    ports: [
      { protocol: "TCP", port: 443 },
      { protocol: "TCP", port: 5432 },
    ],
  });
  const [peers] = allowEgress({ app: "a" }, [pods({ app: "b" })], [80]).egress as { to: unknown }[];
  expect(peers?.to).toEqual([{ podSelector: { matchLabels: { app: "b" } } }]);
});
