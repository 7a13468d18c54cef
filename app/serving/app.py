"""The application: which paths there are before and after the model is loaded."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from serving.endpoint import Endpoint, Served
from serving.http import answers
from serving.http.answers import Fixed
from serving.http.limits import Limits
from serving.http.route import Route
from serving.http.server import Server
from serving.log import logger
from serving.metrics import Metrics

#: Of Prometheus' text format.
_EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SERVER_METADATA = b'{"name":"ml-platform","version":"1","extensions":[]}'

#: Paths that a loaded model answers, and nothing before it.
_OF_THE_MODEL = (b"/readyz", b"/v2/health/ready", b"/openapi.json", b"/docs")


def _says(body: bytes) -> Endpoint:
    return Endpoint("GET", lambda _: body)


class Service:
    """One process's application: alive at once, ready when it is given its model to `use`."""

    def __init__(self, asked_for: dict[str, str], limits: Limits) -> None:
        """Takes which `model` and `version` was asked for, for metrics and the log."""
        self._asked_for = asked_for
        self.metrics = Metrics(asked_for["model"], self._waiting)
        self._own = {
            path: Route.of(endpoint, self.metrics.other(path.decode()))
            for path, endpoint in {
                b"/healthz": _says(b'{"status":"alive"}'),
                b"/v2/health/live": _says(b'{"live":true}'),
                b"/v2": _says(_SERVER_METADATA),
                b"/metrics": Endpoint("GET", lambda _: self._expose(), _EXPOSITION_TYPE),
            }.items()
        }
        # Counted from the start: whoever asks too early is a request that was not served.
        no_model = Endpoint("POST", lambda _: b"", counted=True)
        early = replace(Route.of(no_model, self.metrics.prediction), fixed=answers.NOT_READY)
        self._own[b"/predict"] = early
        self.server = Server(
            self._own, limits, self.metrics.other("other"), self._failed, self._missing
        )
        self.server.say(("x-model-name", asked_for["model"]))
        self._ready = False

    @cached_property
    def _expose(self) -> Callable[[], bytes]:
        # With the first scrape: importing its library would be a seventh of the time to start.
        from serving.exposition import exposition

        return exposition(self.metrics)

    def _waiting(self) -> int:
        return self.server.turns.waiting()

    def use(self, served: Served) -> None:
        """Answers with a loaded model from now on; may be called from any thread."""
        self.metrics.version = served.version
        self.server.say(("x-model-name", served.name), ("x-model-version", served.version))
        self.server.routes = {**self._own, **self._routes_of(served)}
        self._ready = True
        logger.info("model loaded", extra={**self._asked_for, "loaded_version": served.version})

    def _routes_of(self, served: Served) -> dict[bytes, Route]:
        endpoints = {
            "/readyz": _says(b'{"status":"ready"}'),
            "/v2/health/ready": _says(b'{"ready":true}'),
            **served.endpoints,
        }
        return {
            path.encode(): Route.of(
                endpoint,
                self.metrics.prediction if endpoint.counted else self.metrics.other(path),
            )
            for path, endpoint in endpoints.items()
        }

    def _missing(self, path: bytes) -> Fixed:
        of_the_model = path in _OF_THE_MODEL or path.startswith(b"/v2/models/")
        return answers.NOT_READY if of_the_model and not self._ready else answers.NOT_FOUND

    def _failed(self, error: Exception, request_id: str) -> None:
        fields = {**self._asked_for, "request_id": request_id}
        logger.error("prediction failed", exc_info=error, extra=fields)
