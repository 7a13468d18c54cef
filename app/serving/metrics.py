"""The counters of the service.

A request costs plain additions. The service has one thread, so it does not need the locks of
`prometheus_client`'s counters, nor their loop over all buckets. The scrape converts the counters to
metrics: see serving/exposition.py.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable

#: All status codes of predictions; there are no other label values.
CODES = (200, 400, 405, 500, 503)

#: Seconds. A linear model takes some 10 us, a large ensemble tens of milliseconds.
BUCKETS = (
    *(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)


class Metrics:
    """The counters since the start."""

    def __init__(self, model: str, waiting: Callable[[], int] = lambda: 0) -> None:
        """Counts for `model`; `waiting` returns the length of the queue."""
        self.model = model
        #: The registered version that is served; None until a model is loaded.
        self.version: str | None = None
        #: How it is served, such as `onnx`: see serving/models/model.py.
        self.served_as = ""
        #: Number of its libraries that are missing, or of another version.
        self.library_differences = 0
        self.waiting = waiting
        #: Predictions by status code.
        self.codes = dict.fromkeys(CODES, 0)
        #: Predictions with status 200, by the first of BUCKETS that is not below their latency,
        #: and the sum of the latencies.
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        #: All other requests, by route and status.
        self.others: Counter[tuple[str, int]] = Counter()

    def prediction(self, code: int, seconds: float) -> None:
        """Counts one prediction, and the latency of a 200."""
        self.codes[code] += 1
        if code == 200:
            self.buckets[bisect_left(BUCKETS, seconds)] += 1
            self.seconds += seconds

    def other(self, route: str) -> Callable[[int, float], None]:
        """Returns the counter of another route; `other` is for all unknown routes."""

        def count(code: int, _: float) -> None:
            self.others[route, code] += 1

        return count
