"""The model service with one thing different: `python variant.py no-metrics` or `no-op`.

`no-metrics` records nothing of a prediction. `no-op` adds POST /noop, which is a prediction to the
server in every respect but that nothing is read and nothing is computed.
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
