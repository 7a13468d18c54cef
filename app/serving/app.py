"""The application: its routes before and after the model is loaded."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from serving.endpoint import Endpoint, LoadedModel
from serving.http import responses
from serving.http.limits import Limits
from serving.http.responses import StaticResponse
from serving.http.route import Route
from serving.http.server import Server
from serving.log import logger
from serving.metrics import Metrics

#: The media type of the Prometheus text format.
_EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SERVER_METADATA = b'{"name":"ml-platform","version":"1","extensions":[]}'

#: Paths that exist only once a model is loaded; until then they return 503.
_MODEL_PATHS = (b"/readyz", b"/v2/health/ready", b"/openapi.json", b"/docs")


def _static(body: bytes) -> Endpoint:
    return Endpoint("GET", lambda _: body)


class Service:
    """The application of one process: live at once, ready after `set_model`."""

    def __init__(self, requested: dict[str, str], limits: Limits) -> None:
        """Takes the requested `model` and `version`, for metrics and the log."""
        self._requested = requested
        self.metrics = Metrics(requested["model"], self._queue_length)
        self._static_routes = {
            path: Route.of(endpoint, self.metrics.other(path.decode()))
            for path, endpoint in {
                b"/healthz": _static(b'{"status":"alive"}'),
                b"/v2/health/live": _static(b'{"live":true}'),
                b"/v2": _static(_SERVER_METADATA),
                b"/metrics": Endpoint("GET", lambda _: self._exposition(), _EXPOSITION_TYPE),
            }.items()
        }
        # Counted from the start: a request before the model is loaded was not served either.
        no_model = Endpoint("POST", lambda _: b"", counted=True)
        not_ready = replace(Route.of(no_model, self.metrics.prediction), fixed=responses.NOT_READY)
        self._static_routes[b"/predict"] = not_ready
        self.server = Server(
            self._static_routes,
            limits,
            self.metrics.other("other"),
            self._log_error,
            self._not_found,
        )
        self.server.set_headers(("x-model-name", requested["model"]))
        self._ready = False

    @cached_property
    def _exposition(self) -> Callable[[], bytes]:
        # Imported at the first scrape: the library would take a seventh of the startup time.
        from serving.exposition import exposition

        return exposition(self.metrics)

    def _queue_length(self) -> int:
        return self.server.queue.waiting()

    def set_model(self, model: LoadedModel) -> None:
        """Serves a loaded model from now on. Thread-safe."""
        self.metrics.version, self.metrics.served_as = model.version, model.served_as
        self.server.set_headers(("x-model-name", model.name), ("x-model-version", model.version))
        self.server.routes = {**self._static_routes, **self._model_routes(model)}
        self._ready = True
        self.metrics.library_differences = model.library_differences
        fields = {**self._requested, "loaded_version": model.version, "served_as": model.served_as}
        if model.why:
            fields["why"] = model.why
        logger.info("model loaded", extra=fields)

    def _model_routes(self, model: LoadedModel) -> dict[bytes, Route]:
        endpoints = {
            "/readyz": _static(b'{"status":"ready"}'),
            "/v2/health/ready": _static(b'{"ready":true}'),
            **model.endpoints,
        }
        return {
            path.encode(): Route.of(
                endpoint,
                self.metrics.prediction if endpoint.counted else self.metrics.other(path),
            )
            for path, endpoint in endpoints.items()
        }

    def _not_found(self, path: bytes) -> StaticResponse:
        of_the_model = path in _MODEL_PATHS or path.startswith(b"/v2/models/")
        return responses.NOT_READY if of_the_model and not self._ready else responses.NOT_FOUND

    def _log_error(self, error: Exception, request_id: str) -> None:
        fields = {**self._requested, "request_id": request_id}
        logger.error("prediction failed", exc_info=error, extra=fields)
