"""The application: which paths there are before and after the model is loaded."""

import threading
from collections.abc import Callable
from dataclasses import replace

from serving.endpoint import Endpoint, Served
from serving.http import answers
from serving.http.answers import Fixed
from serving.http.limits import Limits
from serving.http.server import Route, Server
from serving.loader import delays, load_until_ready
from serving.log import logger
from serving.metrics import CONTENT_TYPE, Metrics

_SERVER_METADATA = b'{"name":"ml-platform","version":"1","extensions":[]}'

#: Paths that a loaded model answers, and nothing before it.
_OF_THE_MODEL = (b"/readyz", b"/v2/health/ready", b"/openapi.json", b"/docs")


def _says(body: bytes) -> Endpoint:
    return Endpoint("GET", lambda _: body)


class Service:
    """One process's application: alive at once, ready when `load` has returned."""

    def __init__(self, load: Callable[[], Served], name: str, version: str, limits: Limits) -> None:
        """Takes how to load the model, and which one was asked for, for metrics and the log."""
        self._load = load
        self._what = {"model": name, "version": version}
        self.metrics = Metrics(name, self._waiting)
        self._own = {
            path: Route.of(endpoint, self.metrics.other(path.decode()))
            for path, endpoint in {
                b"/healthz": _says(b'{"status":"alive"}'),
                b"/v2/health/live": _says(b'{"live":true}'),
                b"/v2": _says(_SERVER_METADATA),
                b"/metrics": Endpoint("GET", lambda _: self.metrics.expose(), CONTENT_TYPE),
            }.items()
        }
        # Counted from the start: whoever asks too early is a request that was not served.
        no_model = Endpoint("POST", lambda _: b"", counted=True)
        early = replace(Route.of(no_model, self.metrics.prediction), fixed=answers.NOT_READY)
        self._own[b"/predict"] = early
        self.server = Server(
            self._own, limits, self.metrics.other("other"), self._failed, self._missing
        )
        self._ready = False
        self._stop = threading.Event()

    def _waiting(self) -> int:
        return self.server.waiting()

    def start(self) -> None:
        """Starts loading beside the event loop, so that probes are answered meanwhile."""
        threading.Thread(target=self._load_model, name="model-loader", daemon=True).start()

    def stop(self) -> None:
        """Ends a loader that is still waiting."""
        self._stop.set()

    def _load_model(self) -> None:
        served = load_until_ready(self._load, self._stop, self._what, delays())
        if served is None:
            return
        self.metrics.set_version(served.version)
        self.server.routes = {**self._own, **self._routes_of(served)}
        self._ready = True
        logger.info("model loaded", extra={**self._what, "loaded_version": served.version})

    def _routes_of(self, served: Served) -> dict[bytes, Route]:
        endpoints = {
            "/readyz": _says(b'{"status":"ready"}'),
            "/v2/health/ready": _says(b'{"ready":true}'),
            **served.endpoints,
        }
        named = (("x-model-name", served.name), ("x-model-version", served.version))
        return {
            path.encode(): Route.of(
                endpoint,
                self.metrics.prediction if endpoint.counted else self.metrics.other(path),
                named,
            )
            for path, endpoint in endpoints.items()
        }

    def _missing(self, path: bytes) -> Fixed:
        of_the_model = path in _OF_THE_MODEL or path.startswith(b"/v2/models/")
        return answers.NOT_READY if of_the_model and not self._ready else answers.NOT_FOUND

    def _failed(self, error: Exception, request_id: str) -> None:
        fields = {**self._what, "request_id": request_id}
        logger.error("prediction failed", exc_info=error, extra=fields)
