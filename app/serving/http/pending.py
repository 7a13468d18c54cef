"""Requests without a response yet: predictions are queued, all others are answered at once."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from serving.endpoint import InvalidInput
from serving.http import responses
from serving.http.limits import Limits
from serving.http.responses import StaticResponse
from serving.http.route import Record, Route, request_id

if TYPE_CHECKING:
    from serving.http.connection import Connection

#: Called with the exception and the request id if an endpoint fails.
OnError = Callable[[Exception, str], None]

#: Seconds of consecutive predictions, after which new requests such as probes are read.
TIME_SLICE = 0.002


@dataclass(slots=True)
class PendingRequest:
    """A complete request that has no response yet."""

    connection: "Connection"
    arrived: float
    request_id: bytes
    keep_alive: bool
    body: bytes
    #: Bytes that are reserved for the body.
    reserved: int
    route: Route | None
    #: The response, if it does not depend on the body.
    fixed: StaticResponse | None
    #: The response has no body: HEAD.
    omit_body: bool


class RequestQueue:
    """Handles one request after the other, in the thread of the event loop."""

    def __init__(self, limits: Limits, other: Record, on_error: OnError) -> None:
        """`other` is called for every response without a route, `on_error` for exceptions."""
        self._limits = limits
        self._other = other
        self._on_error = on_error
        self._queue: deque[PendingRequest] = deque()
        self._scheduled = False
        self._worker = ThreadPoolExecutor(1, "prediction")
        #: `call_soon` and `call_soon_threadsafe` of the event loop.
        self.call_soon: Callable[[Callable[[], None]], object]
        self.call_soon_threadsafe: Callable[[Callable[[], None]], object]

    def waiting(self) -> int:
        """Number of predictions in the queue."""
        return len(self._queue)

    def submit(self, request: PendingRequest) -> bool:
        """Answers a request or queues it; returns whether it was answered."""
        if request.fixed is None and request.route is not None and request.route.queued:
            if len(self._queue) < self._limits.queue:
                self._queue.append(request)
                if not self._scheduled:
                    self._scheduled = True
                    self.call_soon(self._run)
                return False
            request.fixed = responses.OVERLOADED
        self._answer(request)
        return True

    def _run(self) -> None:
        queue = self._queue
        end = perf_counter() + TIME_SLICE
        while queue:
            request = queue.popleft()
            if request.route is not None and request.route.slow and self._must_compute(request):
                self._start(request, request.route)
                return  # until it is computed: one prediction at a time
            done = self._answer(request)
            request.connection.resume()
            if done >= end:
                break
        self._scheduled = bool(queue)
        if queue:
            self.call_soon(self._run)

    def _start(self, request: PendingRequest, route: Route) -> None:
        """Computes in the thread, so that probes are answered meanwhile."""

        def finish(computed: Future[tuple[int, bytes, bytes]]) -> None:
            self.call_soon_threadsafe(lambda: self._finish(request, computed.result()))

        self._worker.submit(self._compute, route, request).add_done_callback(finish)

    def _finish(self, request: PendingRequest, computed: tuple[int, bytes, bytes]) -> None:
        self._send(request, *computed)
        request.connection.resume()
        self._scheduled = bool(self._queue)
        if self._queue:
            self.call_soon(self._run)

    def _must_compute(self, request: PendingRequest) -> bool:
        """Whether the response depends on the body; sets `fixed` if it has been queued too long."""
        if perf_counter() - request.arrived > self._limits.queue_seconds:
            request.fixed = request.fixed or responses.OVERLOADED
        return request.fixed is None and not request.connection.closed

    def _answer(self, request: PendingRequest) -> float:
        """Answers one request; returns the time when it was done."""
        route = request.route
        if route is not None and self._must_compute(request):
            return self._send(request, *self._compute(route, request))
        fixed = request.fixed or responses.NOT_FOUND
        return self._send(request, fixed.status, fixed.head, fixed.body)

    def _send(self, request: PendingRequest, status: int, head: bytes, body: bytes) -> float:
        """Sends and counts a response; returns the time when it was done."""
        connection, route, done = request.connection, request.route, perf_counter()
        if connection.closed:
            return done  # the client is gone
        (route.record if route else self._other)(status, done - request.arrived)
        connection.answer(request, head, body)
        return done

    def _compute(self, route: Route, request: PendingRequest) -> tuple[int, bytes, bytes]:
        try:
            return 200, route.head, route.handle(request.body)
        except InvalidInput as error:
            return 400, responses.invalid(error.reason), error.body
        except Exception as error:
            identity = request_id(request.request_id)
            self._on_error(error, identity)
            line = responses.lines((("x-request-id", identity),))
            return 500, responses.INTERNAL_ERROR.head + line, responses.INTERNAL_ERROR.body
