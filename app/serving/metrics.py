"""What the service counts.

A request pays for plain additions: the service answers in one thread, so nothing needs the locks
and the walk over all buckets of `prometheus_client`'s own counters. They become metrics at scrape:
see serving/exposition.py.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable

#: Every status that a prediction can be answered with; no other label value ever appears.
CODES = (200, 400, 405, 500, 503)

#: Seconds. A linear model answers in some 10 us, a large ensemble in tens of milliseconds.
BUCKETS = (
    *(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)


class Metrics:
    """What has been counted since the start."""

    def __init__(self, model: str, waiting: Callable[[], int] = lambda: 0) -> None:
        """Counts for `model`; `waiting` tells how many requests wait."""
        self.model = model
        #: The registered version that is served; None until there is one.
        self.version: str | None = None
        self.waiting = waiting
        #: Predictions by the status that they were answered with.
        self.codes = dict.fromkeys(CODES, 0)
        #: Those of status 200 by the first of BUCKETS that is not below their time, and that time.
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        #: All other requests, by route and status.
        self.others: Counter[tuple[str, int]] = Counter()

    def prediction(self, code: int, seconds: float) -> None:
        """Counts one answered request for a prediction; the time of a 200 is kept as well."""
        self.codes[code] += 1
        if code == 200:
            self.buckets[bisect_left(BUCKETS, seconds)] += 1
            self.seconds += seconds

    def other(self, route: str) -> Callable[[int, float], None]:
        """Makes what counts the requests of another route; `other` is for all unknown ones."""

        def count(code: int, _: float) -> None:
            self.others[route, code] += 1

        return count
