"""The model service with one change: `python variant.py no-metrics` or `no-op`.

`no-metrics` records no metrics of predictions. `no-op` adds POST /noop, which the server treats as
a prediction, but which reads and computes nothing.
"""

import dataclasses
import sys

from serving import models, program, run
from serving.endpoint import Endpoint

ANSWER = b'{"prediction":[1.0]}'


def without_metrics() -> None:
    build = run.build

    def changed(config):
        service = build(config)
        service.metrics.prediction = lambda _status, _seconds: None
        return service

    run.build = changed


def with_noop() -> None:
    load = models.load

    def changed(*arguments):
        served = load(*arguments)
        noop = Endpoint("POST", lambda _body: ANSWER, counted=True)
        return dataclasses.replace(served, endpoints={**served.endpoints, "/noop": noop})

    models.load = changed


if __name__ == "__main__":
    {"no-metrics": without_metrics, "no-op": with_noop}[sys.argv[1]]()
    sys.exit(program.main())
