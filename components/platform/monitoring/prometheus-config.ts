/** Scrape interval of model services. With the adapter's window it determines the delay of autoscaling. */
export const MODEL_SCRAPE_INTERVAL = "5s";

const meta = (name: string) => `__meta_kubernetes_pod_${name}`;
const component = meta("label_app_kubernetes_io_component");

/** Keeps running pods with the annotation for scraping, and takes port and path from their annotations. */
function discover(isModelService: boolean) {
  return [
    { source_labels: [meta("annotation_prometheus_io_scrape")], action: "keep", regex: "true" },
    {
      source_labels: [component],
      action: isModelService ? "keep" : "drop",
      regex: "model-service",
    },
    { source_labels: [meta("phase")], action: "drop", regex: "Pending|Succeeded|Failed|Completed" },
    {
      source_labels: [meta("annotation_prometheus_io_path")],
      target_label: "__metrics_path__",
      regex: "(.+)",
    },
    {
      source_labels: [meta("ip"), meta("annotation_prometheus_io_port")],
      target_label: "__address__",
      regex: "(.+);(.+)",
      replacement: "$1:$2",
    },
    // The adapter selects the series of a pod by these two labels.
    { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
    { source_labels: [meta("name")], target_label: "pod" },
    { source_labels: [meta("label_app_kubernetes_io_instance")], target_label: "service" },
    { source_labels: [meta("label_ml_platform_variant")], target_label: "variant" },
  ];
}

function job(name: string, interval: string, isModelService: boolean) {
  return {
    job_name: name,
    scrape_interval: interval,
    scrape_timeout: interval === MODEL_SCRAPE_INTERVAL ? "4s" : "10s",
    // A pod must not override these labels, as its series would count for another pod.
    honor_labels: false,
    kubernetes_sd_configs: [{ role: "pod" }],
    relabel_configs: discover(isModelService),
  };
}

/** Prometheus' configuration file. It is JSON, which is YAML, so that its text is the same on every run. */
export function prometheusConfig(): string {
  return JSON.stringify(
    {
      global: { scrape_interval: "30s", evaluation_interval: "30s" },
      scrape_configs: [
        job("model-services", MODEL_SCRAPE_INTERVAL, true),
        job("pods", "30s", false),
      ],
    },
    null,
    2,
  );
}
