import { REQUEST_RATE_METRIC } from "../contract";

/** The value of the label `app.kubernetes.io/name` of the adapter's pods. */
export const METRICS_ADAPTER = "prometheus-adapter";

/**
 * The configuration of prometheus-adapter. It has one rule: the counter of predictions becomes a rate for each pod.
 * @param rateWindow the window of the rate, a Prometheus duration
 */
export function adapterConfig(rateWindow: string): string {
  return JSON.stringify(
    {
      rules: [
        {
          seriesQuery: 'inference_requests_total{namespace!="",pod!=""}',
          resources: {
            overrides: { namespace: { resource: "namespace" }, pod: { resource: "pod" } },
          },
          name: { matches: "^inference_requests_total$", as: REQUEST_RATE_METRIC },
          metricsQuery: `sum(rate(<<.Series>>{<<.LabelMatchers>>}[${rateWindow}])) by (<<.GroupBy>>)`,
        },
      ],
    },
    null,
    2,
  );
}
