import { beforeAll, expect, test } from "vitest";
import { dataPod, isLeftOver, type Owner } from "../../../../cli/data/pod";
import { stackConfig } from "../../../../cli/stack/file";

let owner: Owner;
beforeAll(() => {
  const { team, owner: name } = stackConfig("dev");
  owner = { owner: name, team: team as NonNullable<typeof team> };
});

test("the pod is restricted, has no token, and ends by itself", () => {
  const pod = dataPod(owner, { image: "reg/training@sha256:1", claim: "demo-data-1" });
  expect(pod.metadata?.labels).toEqual({
    "app.kubernetes.io/name": "data-copy",
    "app.kubernetes.io/instance": "demo",
    "app.kubernetes.io/component": "data",
    "app.kubernetes.io/part-of": "ml-platform",
    "app.kubernetes.io/managed-by": "ml-platform",
    "ml-platform/owner": "developer",
  });
  expect(pod.spec).toEqual({
    serviceAccountName: "default",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "data",
        image: "reg/training@sha256:1",
        command: ["python", "-m", "training.transfer", "wait"],
        env: [
          { name: "DATA_DIR", value: "/app/data" },
          { name: "HOME", value: "/tmp" },
        ],
        resources: {
          requests: { cpu: "100m", memory: "256Mi", "ephemeral-storage": "64Mi" },
          limits: { cpu: "1", memory: "256Mi", "ephemeral-storage": "64Mi" },
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [
          { name: "data", mountPath: "/app/data" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: "demo-data-1" } },
      { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
    ],
    restartPolicy: "Never",
    activeDeadlineSeconds: 21_600,
    terminationGracePeriodSeconds: 5,
  });
});

test.each([
  ["Running", 3600, false],
  ["Succeeded", 1, true],
  ["Failed", 1, true],
  ["Pending", 300, false],
  ["Pending", 3600, true],
])("a pod that is %s after %i s: left over is %s", (phase, seconds, expected) => {
  const creationTimestamp = new Date(0);
  const pod = { metadata: { creationTimestamp }, status: { phase } };
  expect(isLeftOver(pod, seconds * 1000)).toBe(expected);
});
