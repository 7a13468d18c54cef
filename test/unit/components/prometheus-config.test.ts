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

/** The discovered labels of a model's pod. */
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

test("a model's pod is scraped at its annotated port, and its series have the labels that the adapter reads", () => {
  expect(scrape(models)).toEqual({
    __address__: "10.1.2.3:8080",
    __metrics_path__: "/metrics",
    namespace: "demo",
    pod: "pod-1",
    service: "churn",
    variant: "main",
  });
});

test("each pod is scraped by one job: model services by the first, other pods by the second", () => {
  expect(scrape(others)).toBeUndefined();
  for (const value of ["tracking", "", "model-service-2"]) {
    expect(scrape(models, { [component]: value })).toBeUndefined();
    expect(scrape(others, { [component]: value })).toMatchObject({ pod: "pod-1" });
  }
});

test.each(["", "false", "True", "yes true"])(
  "a pod with the scrape annotation %j is not scraped",
  (value) => {
    expect(scrape(models, { [meta("annotation_prometheus_io_scrape")]: value })).toBeUndefined();
  },
);

test("pods in the phases Pending, Succeeded and Failed are not scraped, and others are", () => {
  const kept = (phase: string) => scrape(models, { [meta("phase")]: phase }) !== undefined;
  expect(["Pending", "Succeeded", "Failed"].filter(kept)).toEqual([]);
  expect(["Running", "Unknown"].filter(kept)).toEqual(["Running", "Unknown"]);
});

test("a pod without annotations for port and path is scraped at its discovered port and at /metrics", () => {
  const unset = {
    [meta("annotation_prometheus_io_port")]: "",
    [meta("annotation_prometheus_io_path")]: "",
  };
  expect(scrape(models, unset)).toMatchObject({
    __address__: "10.1.2.3:9999",
    __metrics_path__: "/metrics",
  });
});

test("annotations can set another port and path", () => {
  const annotations = scrapeAnnotations(8000, "/stats");
  const labels = { "app.kubernetes.io/component": "tracking" };
  const found = discovered({ labels, annotations }, 9999);
  expect(relabel(found, others.relabel_configs)).toMatchObject({
    __address__: "10.1.2.3:8000",
    __metrics_path__: "/stats",
  });
});

test("model services are scraped every five seconds, and scrape timeouts are shorter than intervals", () => {
  expect(models.scrape_interval).toBe("5s");
  for (const { scrape_interval, scrape_timeout } of [models, others]) {
    expect(Number.parseInt(scrape_timeout, 10)).toBeLessThan(Number.parseInt(scrape_interval, 10));
  }
});

test("a pod cannot override the labels that identify it", () => {
  expect([models, others].map(({ honor_labels }) => honor_labels)).toEqual([false, false]);
});

test("the configuration is the same on every run", () => {
  expect(prometheusConfig()).toBe(prometheusConfig());
});

test("the adapter publishes the request rate of each pod, and no other metric", () => {
  const { rules, ...rest } = JSON.parse(adapterConfig("45s"));
  expect(rest).toEqual({});
  expect(rules).toHaveLength(1);
  const [{ seriesQuery, resources, name, metricsQuery }] = rules;
  expect(seriesQuery).toBe('inference_requests_total{namespace!="",pod!=""}');
  expect(metricsQuery).toBe("sum(rate(<<.Series>>{<<.LabelMatchers>>}[45s])) by (<<.GroupBy>>)");
  // The adapter reads namespace and pod from labels that relabelling sets.
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
