"""The service's Prometheus metrics, on a registry of their own.

A request pays for plain additions: the service answers in one thread, so nothing needs the locks
and the walk over all buckets of `prometheus_client`'s own counters. They become metrics at scrape.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

#: Every status that a prediction can be answered with; no other label value ever appears.
CODES = (200, 400, 405, 500, 503)

#: Seconds. A linear model answers in some 10 us, a large ensemble in tens of milliseconds.
BUCKETS = (
    *(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)


class Metrics(Collector):
    """What has been counted since the start."""

    def __init__(self, model: str, waiting: Callable[[], int] = lambda: 0) -> None:
        """Counts for `model`; `waiting` tells how many requests wait."""
        self._model = model
        self._version: str | None = None
        self._waiting = waiting
        self._codes = dict.fromkeys(CODES, 0)
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._others: Counter[tuple[str, int]] = Counter()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def prediction(self, code: int, seconds: float) -> None:
        """Counts one answered request for a prediction; the time of a 200 is kept as well."""
        self._codes[code] += 1
        if code == 200:
            self._buckets[bisect_left(BUCKETS, seconds)] += 1
            self._seconds += seconds

    def other(self, route: str) -> Callable[[int, float], None]:
        """Makes what counts the requests of another route; `other` is for all unknown ones."""

        def count(code: int, _: float) -> None:
            self._others[route, code] += 1

        return count

    def set_version(self, version: str) -> None:
        """Says which registered version is served: from here on there are series of it."""
        self._version = version

    def expose(self) -> bytes:
        """The text that a scrape gets, of CONTENT_TYPE."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Turns the figures into metrics."""
        labels = [self._model, self._version or ""]
        requests = CounterMetricFamily(
            "inference_requests",
            "Requests for predictions, by the status they were answered with.",
            labels=["model", "version", "code"],
        )
        for code, count in self._codes.items():
            requests.add_metric([*labels, str(code)], count)
        yield requests
        yield self._latency(labels)
        yield GaugeMetricFamily(
            "inference_requests_waiting",
            "Requests for predictions whose turn has not come.",
            value=self._waiting(),
        )
        info = GaugeMetricFamily(
            "inference_model_info",
            "1 for the registered model version that is served; absent until one is loaded.",
            labels=["model", "version"],
        )
        if self._version is not None:
            info.add_metric(labels, 1)
        yield info
        others = CounterMetricFamily(
            "http_requests", "All other requests.", labels=["route", "code"]
        )
        for (route, code), count in self._others.items():
            others.add_metric([route, str(code)], count)
        yield others

    def _latency(self, labels: list[str]) -> HistogramMetricFamily:
        family = HistogramMetricFamily(
            "inference_latency_seconds",
            "Seconds from a whole request for a prediction to its answer, the wait included.",
            labels=["model", "version"],
        )
        names = [*(f"{bound:.7g}" for bound in BUCKETS), "+Inf"]
        buckets = list(zip(names, accumulate(self._buckets), strict=True))
        family.add_metric(labels, buckets, sum_value=self._seconds)
        return family
