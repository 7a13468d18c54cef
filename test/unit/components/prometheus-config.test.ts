import { expect, test } from "vitest";
import { scrapeAnnotations } from "../../../components/kubernetes/metrics";
import { adapterConfig } from "../../../components/platform/autoscaling/adapter-config";
import { prometheusConfig } from "../../../components/platform/monitoring/prometheus-config";
import { discovered, type RelabelStep, relabel } from "../../support/relabel";

interface Job {
  readonly job_name: string;
  readonly scrape_interval: string;
  readonly scrape_timeout: string;
  readonly honor_labels: boolean;
  readonly kubernetes_sd_configs: { role: string }[];
  readonly relabel_configs: RelabelStep[];
}

const config = JSON.parse(prometheusConfig()) as { scrape_configs: Job[] };
const [models, others] = config.scrape_configs as [Job, Job];

/** What discovery tells of a model's pod. */
function pod(changes: Record<string, string> = {}): Record<string, string> {
  const labels = {
    "app.kubernetes.io/component": "model-service",
    "app.kubernetes.io/instance": "churn",
    "ml-platform/variant": "main",
  };
  return { ...discovered({ labels, annotations: scrapeAnnotations(8080) }, 9999), ...changes };
}

const meta = (name: string) => `__meta_kubernetes_pod_${name}`;
const component = meta("label_app_kubernetes_io_component");
const scrape = (job: Job, changes?: Record<string, string>) =>
  relabel(pod(changes), job.relabel_configs);

test("a model's pod is scraped where it says, under the labels that the adapter looks for", () => {
  expect(scrape(models)).toEqual({
    __address__: "10.1.2.3:8080",
    __metrics_path__: "/metrics",
    namespace: "demo",
    pod: "pod-1",
    service: "churn",
    variant: "main",
  });
});

test("each pod is scraped by one job: models by theirs, all else by the other", () => {
  expect(scrape(others)).toBeUndefined();
  for (const value of ["tracking", "", "model-service-2"]) {
    expect(scrape(models, { [component]: value })).toBeUndefined();
    expect(scrape(others, { [component]: value })).toMatchObject({ pod: "pod-1" });
  }
});

test.each(["", "false", "True", "yes true"])("a pod that says %j is left alone", (value) => {
  expect(scrape(models, { [meta("annotation_prometheus_io_scrape")]: value })).toBeUndefined();
});

test("pods that cannot answer are left out, and no others", () => {
  const kept = (phase: string) => scrape(models, { [meta("phase")]: phase }) !== undefined;
  expect(["Pending", "Succeeded", "Failed"].filter(kept)).toEqual([]);
  expect(["Running", "Unknown"].filter(kept)).toEqual(["Running", "Unknown"]);
});

test("without a port or a path of its own, a pod is scraped at what discovery found", () => {
  const unsaid = {
    [meta("annotation_prometheus_io_port")]: "",
    [meta("annotation_prometheus_io_path")]: "",
  };
  expect(scrape(models, unsaid)).toMatchObject({
    __address__: "10.1.2.3:9999",
    __metrics_path__: "/metrics",
  });
});

test("a pod may have its metrics elsewhere", () => {
  const annotations = scrapeAnnotations(8000, "/stats");
  const labels = { "app.kubernetes.io/component": "tracking" };
  const found = discovered({ labels, annotations }, 9999);
  expect(relabel(found, others.relabel_configs)).toMatchObject({
    __address__: "10.1.2.3:8000",
    __metrics_path__: "/stats",
  });
});

test("models are scraped every five seconds, and no scrape outlasts its interval", () => {
  expect(models.scrape_interval).toBe("5s");
  for (const { scrape_interval, scrape_timeout } of [models, others]) {
    expect(Number.parseInt(scrape_timeout, 10)).toBeLessThan(Number.parseInt(scrape_interval, 10));
  }
});

test("a pod cannot speak for another one", () => {
  expect([models, others].map(({ honor_labels }) => honor_labels)).toEqual([false, false]);
});

test("the configuration is the same on every run", () => {
  expect(prometheusConfig()).toBe(prometheusConfig());
});

test("the adapter turns the counter into each pod's rate, and publishes nothing else", () => {
  const { rules, ...rest } = JSON.parse(adapterConfig("45s"));
  expect(rest).toEqual({});
  expect(rules).toHaveLength(1);
  const [{ seriesQuery, resources, name, metricsQuery }] = rules;
  expect(seriesQuery).toBe('inference_requests_total{namespace!="",pod!=""}');
  expect(metricsQuery).toBe("sum(rate(<<.Series>>{<<.LabelMatchers>>}[45s])) by (<<.GroupBy>>)");
  // The labels that relabelling sets are those that the adapter reads namespace and pod from.
  expect(Object.keys(scrape(models) ?? {})).toEqual(
    expect.arrayContaining(Object.keys(resources.overrides)),
  );
  expect(resources.overrides).toEqual({
    namespace: { resource: "namespace" },
    pod: { resource: "pod" },
  });
  expect("inference_requests_total".replace(new RegExp(name.matches), name.as)).toBe(
    "inference_requests_per_second",
  );
});
