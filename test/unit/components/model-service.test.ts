import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../../cli/stack";
import { prometheusConfig } from "../../../components/platform/monitoring/prometheus-config";
import { SLOWEST_BUCKET } from "../../../components/team/serving/promotion";
import { declare } from "../../support/declare";
import type { Inputs, Registration } from "../../support/mocks";
import { objects, only } from "../../support/objects";
import { discovered, relabel } from "../../support/relabel";
import { smallStack } from "../../support/stacks";

let all: Registration[];
let pod: Inputs;
let container: Inputs;

beforeAll(async () => {
  all = await declare(smallStack());
  pod = only(all, "Deployment", "serve-churn-main").inputs.spec.template;
  [container] = pod.spec.containers;
});

/** The resources of the small stack with a changed model. */
function withModel(model: Inputs, platform: Inputs = {}): Promise<Registration[]> {
  const { config } = smallStack();
  Object.assign(config.team.models[0], model);
  return declare({ config: { ...config, platform } });
}

describe("a model's pod", () => {
  test("loads the registered version that the configuration names", async () => {
    const env = (all: Registration[]) => {
      const { template } = only(all, "Deployment", "serve-churn-main").inputs.spec;
      const [{ env }] = template.spec.containers;
      return Object.fromEntries(env.map(({ name, value }: Inputs) => [name, value]));
    };
    expect(env(all)).toEqual({
      MAX_BATCH_ROWS: "1000",
      MLFLOW_TRACKING_URI: "http://mlflow:5000",
      MODEL_NAME: "churn",
      MODEL_VERSION: "champion",
      PORT: "8080",
    });
    expect(env(await withModel({ version: 7 })).MODEL_VERSION).toBe("7");
  });

  test("has startup, liveness and readiness probes at its port", () => {
    const { startupProbe, livenessProbe, readinessProbe, ports } = container;
    expect(startupProbe.httpGet).toEqual({ path: "/healthz", port: "http" });
    expect(livenessProbe.httpGet).toEqual({ path: "/healthz", port: "http" });
    expect(readinessProbe.httpGet).toEqual({ path: "/readyz", port: "http" });
    expect(ports).toEqual([{ name: "http", containerPort: 8080 }]);
    // Liveness does not depend on the model: a pod with a missing model is not ready, but is not restarted.
    expect(livenessProbe.httpGet.path).not.toBe(readinessProbe.httpGet.path);
  });

  test("is removed from its Service long before it is restarted", () => {
    const failureSeconds = ({ periodSeconds, failureThreshold }: Inputs) =>
      periodSeconds * failureThreshold;
    expect(failureSeconds(container.readinessProbe)).toBeLessThanOrEqual(5);
    expect(failureSeconds(container.livenessProbe)).toBeGreaterThanOrEqual(
      10 * failureSeconds(container.readinessProbe),
    );
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      expect(container[probe].timeoutSeconds, probe).toBeGreaterThan(0);
    }
  });

  test("serves until proxies have removed its endpoint, and has time for requests in progress", () => {
    const { sleep } = container.lifecycle.preStop;
    expect(sleep.seconds).toBeGreaterThanOrEqual(5);
    // The grace period includes the sleep.
    expect(pod.spec.terminationGracePeriodSeconds - sleep.seconds).toBeGreaterThanOrEqual(20);
  });

  test("has no token of the API server, and no environment variables of other Services", () => {
    expect(pod.spec).toMatchObject({
      serviceAccountName: "demo-serve-churn-account-autonamed",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
    });
    expect(
      only(all, "ServiceAccount", "serve-churn-account").inputs.automountServiceAccountToken,
    ).toBe(false);
  });

  test("is spread over nodes and zones where possible", () => {
    const spread = pod.spec.topologySpreadConstraints as Inputs[];
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      "kubernetes.io/hostname",
      "topology.kubernetes.io/zone",
    ]);
    for (const { whenUnsatisfiable, labelSelector } of spread) {
      expect(whenUnsatisfiable).toBe("ScheduleAnyway");
      expect(pod.metadata.labels).toMatchObject(labelSelector.matchLabels);
    }
  });

  test("is scraped by the job for model services, and by no other", () => {
    const { scrape_configs } = JSON.parse(prometheusConfig());
    const found = discovered(pod.metadata, container.ports[0].containerPort + 1);
    const targets = scrape_configs.map(({ relabel_configs }: Inputs) =>
      relabel(found, relabel_configs),
    );
    expect(scrape_configs[0].job_name).toBe("model-services");
    expect(targets).toEqual([
      {
        __address__: `10.1.2.3:${container.ports[0].containerPort}`,
        __metrics_path__: "/metrics",
        namespace: "demo",
        pod: "pod-1",
        service: "churn",
        variant: "main",
      },
      undefined,
    ]);
  });

  test("requests the configured resources, and with GPUs tolerates the taint of their nodes", async () => {
    const { config } = smallStack();
    config.platform = { devicePlugin: { mode: "existing" } };
    config.team.quota = { gpus: 40, cpu: "100" };
    config.team.models[0].resources = { cpu: "1500m", cpuLimit: "2", gpus: 1 };
    const { template } = only(await declare({ config }), "Deployment", "serve-churn-main").inputs
      .spec;
    expect(template.spec.containers[0].resources).toEqual({
      requests: {
        cpu: "1500m",
        memory: "512Mi",
        "ephemeral-storage": "512Mi",
        "nvidia.com/gpu": "1",
      },
      limits: { cpu: "2", memory: "512Mi", "ephemeral-storage": "512Mi", "nvidia.com/gpu": "1" },
    });
    expect(template.spec.tolerations).toEqual([
      { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
    ]);
    expect(container.resources.limits).not.toHaveProperty("nvidia.com/gpu");
    expect(pod.spec).not.toHaveProperty("tolerations");
  });
});

test("the way a model is served is in its environment, if it is not the default", async () => {
  const { config } = smallStack();
  const names = ["OPTIMISE", "RUNTIME", "STRICT_LIBRARIES"];
  const environment = async () => {
    const { template } = only(await declare({ config }), "Deployment", "serve-churn-main").inputs
      .spec;
    const { env } = template.spec.containers[0];
    return env.filter(({ name }: Inputs) => names.includes(name));
  };
  expect(await environment()).toEqual([]);
  Object.assign(config.team.models[0], { runtime: "onnx", optimise: false, strictLibraries: true });
  expect(await environment()).toEqual([
    { name: "RUNTIME", value: "onnx" },
    { name: "OPTIMISE", value: "false" },
    { name: "STRICT_LIBRARIES", value: "true" },
  ]);
});

describe("a model service", () => {
  test("keeps its number of available pods during a rollout", () => {
    const { inputs, options } = only(all, "Deployment", "serve-churn-main");
    expect(inputs.spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(inputs.spec.progressDeadlineSeconds).toBe(300);
    // Pulumi waits longer than the Deployment, so that the Deployment's own reason is shown.
    expect(options).toMatchObject({ createTimeout: "360s", updateTimeout: "360s" });
  });

  test("allows the eviction of one pod at a time, so that a drain can evict the only pod too", () => {
    const { spec } = only(all, "PodDisruptionBudget", "churn-main-budget").inputs;
    expect(spec).toEqual({
      maxUnavailable: 1,
      selector: only(all, "Deployment", "serve-churn-main").inputs.spec.selector,
    });
  });

  test("has a Service with the model's name, and no other object with a fixed name", () => {
    const own = objects(all).filter(({ name }) => name.startsWith("demo-serve-"));
    const fixed = own.filter(({ inputs }) => inputs.metadata.name);
    expect(fixed.map(({ inputs }) => [inputs.kind, inputs.metadata.name])).toEqual([
      ["Service", "churn"],
    ]);
  });

  test("depends on the training job of its model, if the team has one", async () => {
    // The component's resources depend on the same resources.
    const awaited = (all: Registration[]) =>
      all
        .find(({ type }) => type === "mlplatform:team:ModelService")
        ?.options.dependencies.map((urn) => urn.split("::").at(-1));
    expect(awaited(all)).toEqual(expect.arrayContaining(["demo-tracking", "demo-train-fit"]));
    const { config } = smallStack();
    config.team.training[0].model = "another";
    expect(awaited(await declare({ config }))).not.toContain("demo-train-fit");
  });

  test("is served at MODEL.TEAM.DOMAIN, with TLS if there is an issuer", async () => {
    const plain = only(all, "Ingress").inputs;
    expect(plain.metadata.annotations).toEqual({});
    expect(plain.spec).toEqual({
      rules: [
        {
          host: "churn.demo.localhost",
          http: {
            // Metrics and health are served inside the cluster only.
            paths: ["/predict", "/v2", "/docs", "/openapi.json"].map((path) => ({
              path,
              pathType: "Prefix",
              backend: { service: { name: "churn", port: { name: "http" } } },
            })),
          },
        },
      ],
    });
    const ingress = { className: "nginx", domain: "ml.example.com", issuer: "letsencrypt" };
    const { metadata, spec } = only(await withModel({}, { ingress }), "Ingress").inputs;
    expect(metadata.annotations).toEqual({
      "cert-manager.io/cluster-issuer": "letsencrypt",
      "nginx.ingress.kubernetes.io/force-ssl-redirect": "true",
    });
    expect(spec).toMatchObject({
      ingressClassName: "nginx",
      tls: [{ hosts: ["churn.demo.ml.example.com"], secretName: "churn-tls" }],
      rules: [{ host: "churn.demo.ml.example.com" }],
    });
  });

  test("can run an image of its own", async () => {
    const image = `registry.example.com/acme/other@sha256:${"e".repeat(64)}`;
    const { template } = only(await withModel({ image }), "Deployment", "churn-main").inputs.spec;
    expect(template.spec.containers[0].image).toBe(image);
  });
});

test("the limit of a promotion's threshold is the last bound of the service's latency histogram", () => {
  const text = readFileSync(join(ROOT, "app", "serving", "metrics.py"), "utf8");
  const [, buckets = ""] = /^BUCKETS = \((.*?)^\)/ms.exec(text) ?? [];
  expect(Math.max(...[...buckets.matchAll(/[\d.]+/g)].map(Number))).toBe(SLOWEST_BUCKET);
});
