import { expect, test } from "vitest";
import { loadConfig } from "../../../components/config/load";
import { type Inputs, run, type Stack } from "../../support/mocks";
import { smallStack, stackFile } from "../../support/stacks";

async function loaded(stack: Stack): Promise<Inputs> {
  const { outputs, error } = await run(async () => loadConfig(), stack);
  expect(error).toBeUndefined();
  return outputs;
}

test("a platform has no required key", async () => {
  expect(await loaded({ config: { platform: {} } })).toEqual({
    owner: "ml-platform",
    retainData: true,
    cluster: {},
    images: { lock: "images.lock.json", context: "app" },
    platform: {
      namespace: "ml-platform",
      ingress: { namespace: "traefik", domain: "localhost" },
      gateway: { mode: "off" },
      certManager: { mode: "off" },
      prometheus: {
        mode: "install",
        retention: "7d",
        storage: "10Gi",
        cpu: "100m",
        memory: "512Mi",
        expose: false,
        pod: {},
      },
      metricsAdapter: {
        mode: "install",
        replicas: 1,
        rateWindow: "20s",
        relistInterval: "10s",
        certificateSerial: 1,
        pod: {},
      },
      devicePlugin: { mode: "off" },
    },
    secrets: {},
  });
});

test("every other key of a model and a training job has a default", async () => {
  const { team } = await loaded(smallStack());
  expect(team).toMatchObject({
    viewers: [],
    quota: { cpu: "16", memory: "32Gi", storage: "100Gi", gpus: 0, pods: 100 },
    data: { size: "10Gi" },
    tracking: {
      storage: "10Gi",
      expose: false,
      resources: { cpu: "100m", cpuLimit: "1", memory: "1Gi", ephemeralStorage: "512Mi" },
    },
  });
  expect(team.models).toEqual([
    {
      name: "churn",
      version: "champion",
      autoscale: { kind: "requestRate", target: 50, min: 1, max: 20, scaleDownSeconds: 300 },
      resources: {
        cpu: "200m",
        cpuLimit: "1",
        memory: "512Mi",
        ephemeralStorage: "512Mi",
        gpus: 0,
      },
      runtime: "mlflow",
      optimise: true,
      strictLibraries: false,
      rolloutSeconds: 300,
      ingress: true,
      variants: [],
      pod: {},
      batchRows: 1000,
    },
  ]);
  expect(team.training).toMatchObject([
    {
      alias: "champion",
      sampleData: false,
      deadlineSeconds: 3600,
      retries: 2,
      resources: { cpu: "500m", cpuLimit: "2", memory: "1Gi", ephemeralStorage: "1Gi" },
    },
  ]);
});

test.each([
  ["cpu", { target: 70, min: 1, max: 10, scaleDownSeconds: 300 }],
  ["none", { replicas: 2 }],
])("autoscaling of kind %s has its own defaults", async (kind, defaults) => {
  const stack = smallStack();
  stack.config.team.models[0].autoscale = { kind };
  const { team } = await loaded(stack);
  expect(team.models[0].autoscale).toEqual({ kind, ...defaults });
});

test.each(["requestRate", "cpu"])(
  "autoscaling of kind %s can remove pods without a delay",
  async (kind) => {
    const stack = smallStack();
    stack.config.team.models[0].autoscale = { kind, scaleDownSeconds: 0 };
    expect((await loaded(stack)).team.models[0].autoscale.scaleDownSeconds).toBe(0);
  },
);

test("false and zero are not replaced by defaults", async () => {
  const stack = smallStack();
  const [model] = stack.config.team.models;
  Object.assign(stack.config, { retainData: false });
  Object.assign(model, { ingress: false, version: 3 });
  stack.config.team.training = [{ name: "fit", model: "churn", retries: 0 }];
  const config = await loaded(stack);
  expect(config.retainData).toBe(false);
  expect(config.team.models[0]).toMatchObject({ ingress: false, version: 3 });
  expect(config.team.training[0].retries).toBe(0);
});

test.each(["2025", "1.5", "007", "team-fraud"])("%s is a valid owner", async (owner) => {
  const { config } = smallStack();
  expect(await loaded({ config: { ...config, owner } })).toMatchObject({ owner });
});

test("existing objects can have every name that Kubernetes allows", async () => {
  const { config } = smallStack();
  config.platform = {
    ingress: { className: "nginx.internal", namespace: "1st-ingress", issuer: "acme.staging" },
    devicePlugin: {
      mode: "install",
      pod: { nodeSelector: { "nvidia.com/gpu.product": "H100_80GB" } },
    },
  };
  config.team.data = { size: "1.5Ti", storageClass: "gp3.csi.example.com" };
  config.team.quota = { storage: "2Ti" };
  expect(await loaded({ config })).toMatchObject({ platform: config.platform });
});

test.each([
  "ghcr.io/acme/fraud:v1.2.3_rc-1",
  "localhost/fraud:1",
  "localhost:5000/fraud:1",
  "127.0.0.1:5001/ml-platform/a/b__c:x",
  "registry:5000/fraud:1",
  `ghcr.io/acme/fraud@sha256:${"0".repeat(64)}`,
  `ghcr.io/acme/fraud:v1@sha256:${"0".repeat(64)}`,
])("%s is a valid image", async (image) => {
  const stack = smallStack();
  stack.config.team.models[0].image = image;
  expect((await loaded(stack)).team.models[0].image).toBe(image);
});

test.each(["dev", "platform", "team"] as const)("Pulumi.%s.yaml is valid", async (name) => {
  const stack = stackFile(name);
  expect(await loaded(stack)).toMatchObject({ owner: stack.config.owner });
});
