/** A relabel_config of Prometheus, with the actions that the platform uses. */
export interface RelabelStep {
  readonly source_labels: string[];
  readonly action?: "keep" | "drop" | "replace";
  readonly regex?: string;
  readonly target_label?: string;
  readonly replacement?: string;
}

/**
 * The labels of a discovered target after relabelling, or undefined if it is dropped. Expressions are anchored, and values
 * are joined by `;`. @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 */
export function relabel(
  discovered: Readonly<Record<string, string>>,
  steps: readonly RelabelStep[],
): Record<string, string> | undefined {
  const target = { ...discovered };
  for (const step of steps) {
    const {
      source_labels,
      action = "replace",
      regex = "(.*)",
      target_label,
      replacement = "$1",
    } = step;
    const value = source_labels.map((label) => target[label] ?? "").join(";");
    const match = new RegExp(`^(?:${regex})$`).exec(value);
    if (action === "keep" && !match) {
      return undefined;
    }
    if (action === "drop" && match) {
      return undefined;
    }
    if (action === "replace" && match && target_label) {
      target[target_label] = replacement.replace(/\$(\d)/g, (_, group) => match[group] ?? "");
    }
  }
  const shown = ["__address__", "__metrics_path__"];
  return Object.fromEntries(
    Object.entries(target).filter(([name]) => !name.startsWith("__") || shown.includes(name)),
  );
}

/** The labels of a pod with this metadata in the service discovery of Prometheus. */
export function discovered(
  { labels = {}, annotations = {} }: Record<string, Record<string, string>>,
  port: number,
): Record<string, string> {
  const meta = (what: string, values: Record<string, string>) =>
    Object.entries(values).map(([key, value]) => [
      `__meta_kubernetes_pod_${what}_${key.replace(/[^a-zA-Z0-9]/g, "_")}`,
      value,
    ]);
  return {
    __address__: `10.1.2.3:${port}`,
    __metrics_path__: "/metrics",
    __meta_kubernetes_namespace: "demo",
    __meta_kubernetes_pod_name: "pod-1",
    __meta_kubernetes_pod_ip: "10.1.2.3",
    __meta_kubernetes_pod_phase: "Running",
    ...Object.fromEntries([...meta("label", labels), ...meta("annotation", annotations)]),
  };
}
