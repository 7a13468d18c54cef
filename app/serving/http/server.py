"""All connections: their number, their deadlines, and shutdown."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import perf_counter

from serving.http import responses
from serving.http.connection import Connection
from serving.http.limits import Limits
from serving.http.listener import Listener
from serving.http.memory import MemoryBudget
from serving.http.pending import OnError, PendingRequest, RequestQueue
from serving.http.request import Request
from serving.http.responses import StaticResponse
from serving.http.route import Record, Route, path_of

#: Seconds between two checks of the connections' deadlines.
SWEEP = 0.5


class Server:
    """Serves `routes` (by exact path), which may be replaced while it runs."""

    def __init__(
        self,
        routes: Mapping[bytes, Route],
        limits: Limits,
        other: Record,
        on_error: OnError,
        not_found: Callable[[bytes], StaticResponse] = lambda _: responses.NOT_FOUND,
    ) -> None:
        """Takes the routes; `not_found` returns the response to a path that has no route.

        `other` is called for every response without a route, `on_error` for every exception.
        """
        self.routes = routes
        self.limits = limits
        self.memory = MemoryBudget(max(limits.bodies, limits.body))
        self.queue = RequestQueue(limits, other, on_error)
        #: Set by a stop: every connection is closed after its next response.
        self.stopping = False
        #: The time at the last check of deadlines, at most SWEEP ago.
        self.now = perf_counter()
        #: Header lines of every response: the `Date` of `now`, and those of `set_headers`.
        self.header_lines = responses.date()
        self._extra_lines = b""
        self._not_found = not_found
        self._other = other
        self._connections: set[Connection] = set()
        self._all_closed = asyncio.Event()

    async def run(self, port: int, stop: asyncio.Event, started: Callable[[], None]) -> None:
        """Serves until `stop` is set, then drains. Raises OSError if it cannot listen."""
        loop = asyncio.get_running_loop()
        self.queue.call_soon = loop.call_soon
        self.queue.call_soon_threadsafe = loop.call_soon_threadsafe
        listener = Listener(port, lambda: Connection(self))
        sweeper = asyncio.create_task(self._sweep())
        started()
        await stop.wait()
        await listener.close()
        await self._finish()
        sweeper.cancel()

    def set_headers(self, *headers: tuple[str, str]) -> None:
        """Sets headers of every response from now on."""
        self._extra_lines = responses.lines(headers)
        self.header_lines = responses.date() + self._extra_lines

    def admit(self, connection: Connection) -> bool:
        """Registers a connection. Above the limit, the one that has been idle longest is closed.

        If none is idle, the new one serves only probes. Returns False if there are too many of
        those as well.
        """
        self._connections.add(connection)
        surplus = len(self._connections) - self.limits.connections
        if 0 < surplus <= self.limits.probe_connections:
            idle = min(
                (other for other in self._connections if other.is_kept_alive()),
                key=lambda other: other.deadline,
                default=None,
            )
            if idle is not None:
                self._connections.discard(idle)
                idle.close_if_idle()
            connection.probes_only = idle is None
        return surplus <= self.limits.probe_connections

    def remove(self, connection: Connection) -> None:
        """Unregisters a lost connection."""
        self._connections.discard(connection)
        if not self._connections:
            self._all_closed.set()

    def count_refused(self, status: int) -> None:
        """Counts an error response to an invalid request."""
        self._other(status, 0.0)

    def pending_request(self, connection: Connection, request: Request) -> PendingRequest:
        """A complete request, with its route or static response."""
        method = request.method
        route = self.routes.get(request.target)
        if route is None:
            path = path_of(request.target)
            route = self.routes.get(path)
        if route is None:
            fixed: StaticResponse | None = self._not_found(path)
        else:
            fixed = route.fixed if method == route.method else route.other_method(method)
        if connection.probes_only:
            request.keep_alive = False
            if route is not None and route.queued:
                fixed = fixed or responses.OVERLOADED
        return PendingRequest(
            connection,
            perf_counter(),
            request.headers.get(b"x-request-id", b""),
            request.keep_alive,
            bytes(request.body),
            request.reserved,
            route,
            fixed,
            method == "HEAD",
        )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            before, self.now = self.now, perf_counter()
            self.header_lines = responses.date() + self._extra_lines
            if self.now - before > 2 * SWEEP:
                continue  # the service was busy: what arrived in the meantime is not read yet
            for connection in tuple(self._connections):
                if connection.deadline < self.now:
                    connection.expire()

    async def _finish(self) -> None:
        self.stopping = True
        limits = self.limits
        await self._wait_closed(limits.stop_idle_seconds)
        for connection in tuple(self._connections):
            connection.close_if_idle()
        await self._wait_closed(limits.head_seconds + limits.body_seconds + limits.write_seconds)

    async def _wait_closed(self, seconds: float) -> None:
        if self._connections:
            self._all_closed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_closed.wait(), seconds)
