/** The annotations of a pod with metrics: Prometheus scrapes it at this port and path. */
export function scrapeAnnotations(port: number, path = "/metrics"): Record<string, string> {
  return {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": `${port}`,
    "prometheus.io/path": path,
  };
}
