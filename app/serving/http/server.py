"""The connections together: how many there are, how long they may take, and how they end."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import perf_counter

from serving.http import answers
from serving.http.answers import Fixed
from serving.http.connection import Connection
from serving.http.limits import Limits
from serving.http.listener import Listener
from serving.http.memory import Memory
from serving.http.request import Request
from serving.http.route import Record, Route, path_of
from serving.http.turn import OnError, Turn, Turns

#: Seconds between two looks at the connections' deadlines.
SWEEP = 0.5


class Server:
    """Answers `routes` (by exact path), which may be replaced while it runs."""

    def __init__(
        self,
        routes: Mapping[bytes, Route],
        limits: Limits,
        other: Record,
        on_error: OnError,
        missing: Callable[[bytes], Fixed] = lambda _: answers.NOT_FOUND,
    ) -> None:
        """Takes what is answered: `missing` gives the answer to a path that has no route.

        `other` is told of every answer that belongs to no route, `on_error` of every exception.
        """
        self.routes = routes
        self.limits = limits
        self.memory = Memory(max(limits.bodies, limits.body))
        self.turns = Turns(limits, other, on_error)
        #: Set by a stop: every connection ends with its next answer.
        self.stopping = False
        #: The time as of the last look at the clock, at most SWEEP ago.
        self.now = perf_counter()
        #: Header lines of every answer: `Date` as of then, and what it was told to `say`.
        self.lines = answers.date()
        self._said = b""
        self._missing = missing
        self._other = other
        self._connections: set[Connection] = set()
        self._all_gone = asyncio.Event()

    async def run(self, port: int, stop: asyncio.Event, started: Callable[[], None]) -> None:
        """Serves until `stop` is set, then finishes what is under way. OSError: cannot listen."""
        self.turns.call_soon = asyncio.get_running_loop().call_soon
        listener = Listener(port, lambda: Connection(self))
        sweeper = asyncio.create_task(self._sweep())
        started()
        await stop.wait()
        await listener.close()
        await self._finish()
        sweeper.cancel()

    def say(self, *headers: tuple[str, str]) -> None:
        """Sets what every answer says from now on."""
        self._said = answers.lines(headers)
        self.lines = answers.date() + self._said

    def admit(self, connection: Connection) -> bool:
        """Counts a new connection, which may cost the one that is idle longest its place.

        Where none is idle it is crowded: there for probes, and not for predictions. Returns whether
        there is room even for that.
        """
        self._connections.add(connection)
        excess = len(self._connections) - self.limits.connections
        if 0 < excess <= self.limits.crowd:
            idle = min(
                (other for other in self._connections if other.is_kept_alive()),
                key=lambda other: other.deadline,
                default=None,
            )
            if idle is not None:
                self._connections.discard(idle)
                idle.close_if_idle()
            connection.crowded = idle is None
        return excess <= self.limits.crowd

    def forget(self, connection: Connection) -> None:
        """Counts a lost connection."""
        self._connections.discard(connection)
        if not self._connections:
            self._all_gone.set()

    def refused(self, status: int) -> None:
        """Counts an answer to what was no request."""
        self._other(status, 0.0)

    def turn(self, connection: Connection, request: Request) -> Turn:
        """A whole request, with what is to answer it."""
        method = request.method
        route = self.routes.get(request.target)
        if route is None:
            path = path_of(request.target)
            route = self.routes.get(path)
        if route is None:
            fixed: Fixed | None = self._missing(path)
        else:
            fixed = route.fixed if method == route.method else route.otherwise(method)
        if connection.crowded:
            request.keep_alive = False
            if route is not None and route.queued:
                fixed = fixed or answers.OVERLOADED
        return Turn(
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
            self.lines = answers.date() + self._said
            if self.now - before > 2 * SWEEP:
                continue  # it was the service that took long: what came meanwhile is still unread
            for connection in tuple(self._connections):
                if connection.deadline < self.now:
                    connection.expire()

    async def _finish(self) -> None:
        self.stopping = True
        limits = self.limits
        await self._gone_within(limits.stop_idle_seconds)
        for connection in tuple(self._connections):
            connection.close_if_idle()
        await self._gone_within(limits.head_seconds + limits.body_seconds + limits.write_seconds)

    async def _gone_within(self, seconds: float) -> None:
        if self._connections:
            self._all_gone.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), seconds)
