"""The service's Prometheus metrics, on a registry of their own."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

#: Every status that /predict can answer with; no other label value ever appears.
CODES = (200, 400, 405, 408, 413, 500, 503)

#: Seconds. A linear model answers in about a tenth of a millisecond, a large ensemble in tens.
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """Bound once at start, so that a request pays for two additions and no look-up by label."""

    def __init__(self) -> None:
        """Registers every metric, and every status at zero: a rate needs a first point."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # series that nothing reads
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        requests = Counter(
            "inference_requests",
            "Requests to /predict, by the status they were answered with.",
            ["code"],
            registry=self._registry,
        )
        #: Counts one answered request: `count[200]()`.
        self.count = {code: requests.labels(str(code)).inc for code in CODES}
        #: Records the seconds that one 200 took, from the request's headers to its answer.
        self.observe = Histogram(
            "inference_latency_seconds",
            "Seconds from a request's headers to its prediction.",
            buckets=BUCKETS,
            registry=self._registry,
        ).observe
        self._info = Gauge(
            "inference_model_info",
            "1 for the registered model version that is served; absent until one is loaded.",
            ["model", "version"],
            registry=self._registry,
        )

    def set_model(self, name: str, version: str) -> None:
        """Says which registered version is served."""
        self._info.labels(name, version).set(1)

    def expose(self) -> bytes:
        """The text that a scrape gets, of CONTENT_TYPE."""
        return generate_latest(self._registry)
