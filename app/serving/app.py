"""The HTTP application: /predict, /healthz, /readyz and /metrics over granian's RSGI interface."""

import asyncio
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from granian.rsgi import HTTPProtocol, ProtocolClosed, Scope

from serving import contract
from serving.loader import delays, load_until_ready
from serving.log import logger
from serving.metrics import CONTENT_TYPE, Metrics
from serving.model import Model

#: Seconds in which a request's body must have arrived: no stalled client may hold up a drain.
BODY_TIMEOUT = 5.0

Headers = list[tuple[str, str]]
JSON: Headers = [("content-type", "application/json")]
JSON_POST: Headers = [*JSON, ("allow", "POST")]
JSON_GET: Headers = [*JSON, ("allow", "GET, HEAD")]
TEXT: Headers = [("content-type", CONTENT_TYPE)]


@dataclass(frozen=True)
class Served:
    """A loaded model under its registered name, with the decoder for its number of features."""

    name: str
    version: str
    model: Model
    decode: Callable[[bytes], list[float]]

    @staticmethod
    def of(name: str, version: str, model: Model) -> "Served":
        """Makes the decoder that fits the model."""
        return Served(name, version, model, contract.body_decoder(model.feature_count))


class BodyTooLarge(Exception):
    """The body is longer than contract.MAX_BODY_BYTES."""


class Service:
    """The application object of one process: alive at once, ready when `load` has returned."""

    def __init__(self, load: Callable[[], Served], what: dict[str, str]) -> None:
        """Takes how to load the model, and the log fields that say which model that is."""
        self._load = load
        self._what = what
        self._metrics = Metrics()
        self._served: Served | None = None
        self._stop = threading.Event()
        self._routes = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._expose,
        }

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts loading beside the event loop, so that probes are answered meanwhile."""
        threading.Thread(target=self._load_model, name="model-loader", daemon=True).start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends a loader that is still waiting."""
        self._stop.set()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answers one request."""
        if scope.path == "/predict":
            await self._answer_predict(scope, protocol)
            return
        route = self._routes.get(scope.path)
        if route is None:
            protocol.response_bytes(404, JSON, contract.NOT_FOUND)
        elif scope.method not in ("GET", "HEAD"):
            protocol.response_bytes(405, JSON_GET, contract.METHOD_NOT_ALLOWED)
        else:
            protocol.response_bytes(*route())

    async def _answer_predict(self, scope: Scope, protocol: HTTPProtocol) -> None:
        started = perf_counter()
        headers = JSON
        try:
            code, body = await self._predict(scope, protocol)
        except contract.InvalidInput:
            code, body = 400, contract.INVALID_INPUT
        except BodyTooLarge:
            code, body = 413, contract.INVALID_INPUT
        except TimeoutError:
            code, body = 408, contract.INVALID_INPUT
        except ProtocolClosed:
            return  # the client went away before it had sent its request
        except Exception:
            logger.exception("prediction failed", extra=self._what)
            code, body = 500, contract.INTERNAL_ERROR
        if code == 200:
            self._metrics.observe(perf_counter() - started)
        elif code == 405:
            headers = JSON_POST
        self._metrics.count[code]()
        protocol.response_bytes(code, headers, body)

    async def _predict(self, scope: Scope, protocol: HTTPProtocol) -> tuple[int, bytes]:
        if scope.method != "POST":
            return 405, contract.METHOD_NOT_ALLOWED
        served = self._served
        if served is None:
            return 503, contract.NOT_READY
        features = served.decode(await _read_body(scope, protocol))
        prediction = served.model.predict(features)
        if not all(map(math.isfinite, prediction)):
            raise contract.InvalidInput  # features so large that the model's arithmetic overflows
        return 200, contract.encode(contract.Prediction(prediction))

    def _load_model(self) -> None:
        served = load_until_ready(self._load, self._stop, self._what, delays())
        if served is not None:
            self._metrics.set_model(served.name, served.version)
            self._served = served
            logger.info("model loaded", extra={**self._what, "loaded_version": served.version})

    def _healthz(self) -> tuple[int, Headers, bytes]:
        return 200, JSON, b'{"status":"alive"}'

    def _readyz(self) -> tuple[int, Headers, bytes]:
        if self._served is None:
            return 503, JSON, contract.NOT_READY
        return 200, JSON, b'{"status":"ready"}'

    def _expose(self) -> tuple[int, Headers, bytes]:
        return 200, TEXT, self._metrics.expose()


async def _read_body(scope: Scope, protocol: HTTPProtocol) -> bytes:
    length = scope.headers.get("content-length")
    if length is not None and int(length) > contract.MAX_BODY_BYTES:
        raise BodyTooLarge
    async with asyncio.timeout(BODY_TIMEOUT):
        if length is not None:
            return await protocol()
        body = b""
        async for chunk in protocol:
            body += chunk
            if len(body) > contract.MAX_BODY_BYTES:
                raise BodyTooLarge
        return body
