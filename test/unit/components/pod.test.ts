import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { container, podTemplate } from "../../../components/kubernetes/pod";
import type { PodSettings } from "../../../components/kubernetes/pod-settings";
import { declare } from "../../support/declare";
import { known } from "../../support/known";
import type { Inputs } from "../../support/mocks";
import { objects, podTemplates } from "../../support/objects";
import { smallStack } from "../../support/stacks";

const resources = { cpu: "1", cpuLimit: "1", memory: "1Gi", ephemeralStorage: "1Gi" };

function template(settings?: PodSettings): Inputs {
  const main = container({ name: "main", image: "a/b:1", env: { PORT: "80" }, resources });
  const init = container({ name: "init", image: "a/b:1", resources });
  return podTemplate({
    labels: { "app.kubernetes.io/name": "x" },
    account: "x",
    initContainers: [init],
    containers: [main],
    tolerations: [{ key: "own", operator: "Exists" }],
    directUrls: ["http://mlflow:5000"],
    settings,
  });
}

test("a pod without settings is restricted, and has no empty field", () => {
  const { metadata, spec } = template();
  expect(metadata).toEqual({ labels: { "app.kubernetes.io/name": "x" } });
  expect(spec).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true },
  });
  expect(Object.keys(spec).sort()).toEqual([
    "automountServiceAccountToken",
    "containers",
    "enableServiceLinks",
    "initContainers",
    "securityContext",
    "serviceAccountName",
    "tolerations",
  ]);
  expect(spec.containers[0]).not.toHaveProperty("volumeMounts");
  expect(spec.initContainers[0]).not.toHaveProperty("env");
});

describe("the settings of a stack", () => {
  test("decide where a pod runs, in addition to the tolerations of the workload", () => {
    const affinity = { nodeAffinity: {} };
    const { spec } = template({
      imagePullSecrets: ["pull"],
      nodeSelector: { pool: "gpu" },
      tolerations: [{ key: "team", operator: "Exists" }],
      affinity,
      priorityClassName: "high",
      runtimeClassName: "gvisor",
    });
    expect(spec).toMatchObject({
      imagePullSecrets: [{ name: "pull" }],
      nodeSelector: { pool: "gpu" },
      tolerations: [
        { key: "own", operator: "Exists" },
        { key: "team", operator: "Exists" },
      ],
      affinity,
      priorityClassName: "high",
      runtimeClassName: "gvisor",
    });
  });

  test("add labels and annotations, and do not change those of the workload", () => {
    const labels = { "acme.com/cost-center": "42", "app.kubernetes.io/name": "y" };
    const { metadata } = template({ labels, annotations: { "acme.com/note": "z" } });
    expect(metadata).toEqual({
      labels: { "acme.com/cost-center": "42", "app.kubernetes.io/name": "x" },
      annotations: { "acme.com/note": "z" },
    });
  });

  test("add environment variables to every container, from literal values and from Secrets", () => {
    const { spec } = template({ env: { REGION: "eu", TOKEN: { secret: "s", key: "k" } } });
    const added = [
      { name: "REGION", value: "eu" },
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
    ];
    expect(spec.containers[0].env).toEqual([{ name: "PORT", value: "80" }, ...added]);
    expect(spec.initContainers[0].env).toEqual(added);
  });

  test("add volumes to every container; ConfigMaps and Secrets are read-only", () => {
    const { spec } = template({
      volumes: [
        { mountPath: "/data", claim: "c" },
        { mountPath: "/frozen", claim: "d", readOnly: true },
        { mountPath: "/conf", configMap: "m" },
        { mountPath: "/keys", secret: "s" },
      ],
    });
    expect(spec.volumes).toEqual([
      { name: "extra-0", persistentVolumeClaim: { claimName: "c" } },
      { name: "extra-1", persistentVolumeClaim: { claimName: "d" } },
      { name: "extra-2", configMap: { name: "m" } },
      { name: "extra-3", secret: { secretName: "s" } },
    ]);
    const mounts = [
      { name: "extra-0", mountPath: "/data" },
      { name: "extra-1", mountPath: "/frozen", readOnly: true },
      { name: "extra-2", mountPath: "/conf", readOnly: true },
      { name: "extra-3", mountPath: "/keys", readOnly: true },
    ];
    expect(spec.containers[0].volumeMounts).toEqual(mounts);
    expect(spec.initContainers[0].volumeMounts).toEqual(mounts);
  });

  test("set the proxy variables in lower and upper case, and exclude hosts in the cluster", async () => {
    const http = "http://proxy.example.com:3128";
    const { spec } = template({ proxy: { http, noProxy: ["example.com"] } });
    const env = Object.fromEntries(
      (await known(spec.initContainers[0].env)).map(({ name, value }: Inputs) => [name, value]),
    );
    const direct =
      "localhost,127.0.0.1,$(KUBERNETES_SERVICE_HOST),.svc,.cluster.local,mlflow,example.com";
    expect(env).toEqual({ http_proxy: http, HTTP_PROXY: http, no_proxy: direct, NO_PROXY: direct });
  });
});

describe("every workload of a stack", () => {
  const pod = {
    imagePullSecrets: ["pull"],
    nodeSelector: { pool: "ml" },
    tolerations: [{ key: "team", operator: "Exists" }],
    priorityClassName: "high",
    runtimeClassName: "gvisor",
    labels: { "acme.com/cost-center": "42" },
    annotations: { "acme.com/note": "z" },
    env: { REGION: "eu", TOKEN: { secret: "s", key: "k" } },
    volumes: [{ mountPath: "/conf", configMap: "m" }],
    proxy: { https: "http://proxy.example.com:3128" },
  };

  async function declared() {
    const { config } = smallStack();
    const install = { mode: "install", pod };
    config.platform = { prometheus: install, metricsAdapter: install, devicePlugin: install };
    config.team.tracking = { pod };
    for (const one of [...config.team.training, ...config.team.models]) {
      one.pod = pod;
    }
    return declare({ config });
  }

  test("has all settings", async () => {
    const templates = podTemplates(await declared());
    expect(templates.map(({ workload }) => workload).sort()).toEqual([
      "demo-serve-churn-main",
      "demo-tracking",
      "demo-train-fit",
      "platform-device-plugin",
      "platform-metrics-adapter",
      "platform-prometheus",
    ]);
    for (const { labels, spec } of templates) {
      expect(labels).toMatchObject(pod.labels);
      expect(spec).toMatchObject({
        imagePullSecrets: [{ name: "pull" }],
        nodeSelector: pod.nodeSelector,
        priorityClassName: "high",
        runtimeClassName: "gvisor",
      });
      expect(spec.tolerations).toContainEqual({ ...pod.tolerations[0] });
      const [{ env, volumeMounts }] = spec.containers;
      expect(env).toContainEqual({ name: "REGION", value: "eu" });
      expect(env).toContainEqual({ name: "HTTPS_PROXY", value: pod.proxy.https });
      expect(volumeMounts).toContainEqual(expect.objectContaining({ mountPath: "/conf" }));
    }
  });

  test("of a team may connect to the proxies", async () => {
    const policies = objects(await declared(), "NetworkPolicy").filter(({ name }) =>
      name.endsWith("-proxies"),
    );
    expect(policies.map(({ name }) => name).sort()).toEqual([
      "demo-serve-churn-main-proxies",
      "demo-tracking-proxies",
      "demo-train-fit-proxies",
    ]);
    for (const { inputs } of policies) {
      const [rule] = inputs.spec.egress;
      expect(rule).toEqual({ ports: [{ protocol: "TCP", port: 3128 }] });
    }
  });
});

describe("invalid settings of a pod are refused", () => {
  test.each([
    [{ env: { PORT: "1" } }, "env.PORT: is set by the platform; choose another name"],
    [{ env: { "A-B": "1" } }, "env.A-B: must be the name of an environment variable, such as"],
    [{ labels: { "ml-platform/owner": "me" } }, "labels.ml-platform/owner: must not start with"],
    [{ volumes: [{ mountPath: "/tmp", claim: "c" }] }, "volumes[0].mountPath: is in use already;"],
    [{ volumes: [{ mountPath: "/opt", claim: "c" }] }, "volumes[0].mountPath: is in use already;"],
    [{ volumes: [{ mountPath: "/a/../b", claim: "c" }] }, "volumes[0].mountPath: must be an abs"],
    [{ volumes: [{ mountPath: "/data/", claim: "c" }] }, "volumes[0].mountPath: must be an abs"],
    [{ volumes: [{ mountPath: "/", claim: "c" }] }, "volumes[0].mountPath: must be an absolute"],
    [{ imagePullSecrets: ["a", "a"] }, "imagePullSecrets: has a name twice; remove one"],
    [
      { proxy: { http: "http://proxy" }, env: { NO_PROXY: "x" } },
      "env.NO_PROXY: is set by the platform; choose another name",
    ],
    [{ tolerations: [{}] }, "tolerations[0].key: is missing; set it, or set operator to Exists"],
    [
      { tolerations: [{ key: "a", operator: "Exists", value: "b" }] },
      "tolerations[0].value: is not allowed with `operator: Exists`; remove it",
    ],
    [{ affinity: { nodeAffinty: {} } }, "affinity.nodeAffinty: unknown key; did you mean"],
    [
      { labels: { "batch.kubernetes.io/job-name": "x" } },
      "labels.batch.kubernetes.io/job-name: must",
    ],
    [
      { annotations: { "prometheus.io/port": "1" } },
      "annotations.prometheus.io/port: must not start",
    ],
    [{ volumes: [{ mountPath: "/data" }] }, "volumes[0]: must name one object; set claim"],
    [{ proxy: { http: "http://me:pw@proxy" } }, "proxy.http: must be without user or password"],
    [{ privileged: true }, "privileged: unknown key; known keys: imagePullSecrets, nodeSelector"],
  ])("%j", async (pod, line) => {
    const { config } = smallStack();
    config.team.models[0].pod = pod;
    const error: Error = await declare({ config }).then(
      () => new Error("not refused"),
      (reason: Error) => reason,
    );
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(error.message.split("\n  ")).toHaveLength(2);
    expect(error.message).toContain(`ml-platform:team.models[0].pod.${line}`);
  });
});

describe("settings that a workload sets itself are refused", () => {
  const mount = (mountPath: string) => ({ volumes: [{ mountPath, claim: "c" }] });
  test.each([
    [
      "a variant",
      "team.models[0].variants",
      [{ name: "main", weight: 1, pod: { env: { PORT: "1" } } }],
    ],
    ["a training job", "team.training[0].pod", mount("/app/data")],
    ["the tracking server", "team.tracking.pod", { env: { PGPASSWORD: "x" } }],
    ["Prometheus", "platform.prometheus", { mode: "install", pod: mount("/prometheus") }],
    ["the adapter", "platform.metricsAdapter", { mode: "install", pod: mount("/config") }],
    [
      "the device plugin",
      "platform.devicePlugin",
      { mode: "install", pod: { env: { NVIDIA_VISIBLE_DEVICES: "none" } } },
    ],
  ])("by %s", async (_, path, value) => {
    const { config } = smallStack();
    const keys = path.split(/[.[\]]+/).filter(Boolean);
    const last = keys.pop() ?? "";
    const parent = keys.reduce((node, key) => {
      node[key] ??= {};
      return node[key];
    }, config as Inputs);
    parent[last] = value;
    await expect(declare({ config })).rejects.toThrow(
      /(is set by the platform|is in use already); /,
    );
  });
});

test("a pod may be placed by labels without a value, and by every kind of affinity", async () => {
  const { config } = smallStack();
  const affinity = { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } };
  config.team.models[0].pod = { nodeSelector: { "node-role.kubernetes.io/gpu": "" }, affinity };
  const pods = podTemplates(await declare({ config }));
  const [model] = pods.filter(({ workload }) => workload === "demo-serve-churn-main");
  expect(model?.spec).toMatchObject(config.team.models[0].pod);
});
