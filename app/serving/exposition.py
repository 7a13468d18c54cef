"""The counters of the service as Prometheus metrics, in a collector registry of their own."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from serving.metrics import BUCKETS, Metrics


def exposition(metrics: Metrics) -> Callable[[], bytes]:
    """Returns the function that renders the text of a scrape."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Counts(metrics))
    return partial(generate_latest, registry)


class _Counts(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        metrics = self._metrics
        labels = [metrics.model, metrics.version or ""]
        requests = CounterMetricFamily(
            "inference_requests",
            "Prediction requests, by the status code of the response.",
            labels=["model", "version", "code"],
        )
        for code, count in metrics.codes.items():
            requests.add_metric([*labels, str(code)], count)
        yield requests
        yield self._latency(labels)
        waiting = GaugeMetricFamily(
            "inference_requests_waiting",
            "Prediction requests in the queue.",
            labels=["model", "version"],
        )
        waiting.add_metric(labels, metrics.waiting())
        yield waiting
        info = GaugeMetricFamily(
            "inference_model_info",
            "1 for the registered model version that is served; absent until a model is loaded.",
            labels=["model", "version", "served_as"],
        )
        mismatch = GaugeMetricFamily(
            "inference_library_mismatch",
            "Libraries that are missing, or of another version than the model was logged with.",
            labels=["model", "version"],
        )
        mismatch.add_metric(labels, metrics.library_differences)
        if metrics.version is not None:
            info.add_metric([*labels, metrics.served_as], 1)
        yield from (info, mismatch)
        others = CounterMetricFamily(
            "http_requests", "All other requests.", labels=["route", "code"]
        )
        for (route, code), count in metrics.others.items():
            others.add_metric([route, str(code)], count)
        yield others

    def _latency(self, labels: list[str]) -> HistogramMetricFamily:
        family = HistogramMetricFamily(
            "inference_latency_seconds",
            "Seconds from a complete prediction request to its response, queue time included.",
            labels=["model", "version"],
        )
        names = [*(f"{bound:.7g}" for bound in BUCKETS), "+Inf"]
        buckets = list(zip(names, accumulate(self._metrics.buckets), strict=True))
        family.add_metric(labels, buckets, sum_value=self._metrics.seconds)
        return family
