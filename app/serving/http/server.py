"""Listens, lets predictions wait their turn, and stops without losing a request."""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from time import perf_counter

from serving.endpoint import Endpoint, Handler, InvalidInput
from serving.http import answers
from serving.http.answers import Fixed
from serving.http.connection import Connection
from serving.http.limits import Limits
from serving.http.request import Request

#: Told of every answer: its status, and the seconds from the whole request to the answer.
Record = Callable[[int, float], None]

#: Called with the exception and the request's id where an endpoint fails.
OnError = Callable[[Exception, str], None]

#: Seconds of predictions in a row, after which new requests, probes among them, are looked at.
SLICE = 0.002

#: Seconds between two looks at the connections' deadlines.
SWEEP = 0.5

_BACKLOG = 1024

#: A pod is reached at its own address, which nobody knows before.
_ANYWHERE = "0.0.0.0"  # noqa: S104

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint with all that can be known of its answers before the first request."""

    method: str
    handle: Handler
    #: Of a 200.
    head: bytes
    #: Header lines that errors carry as well.
    lines: bytes
    #: Waits its turn among the others; the rest are answered at once.
    queued: bool
    record: Record
    #: The answer to whatever is asked, in place of what `handle` gives.
    fixed: Fixed | None = None

    @staticmethod
    def of(
        endpoint: Endpoint, record: Record, headers: tuple[tuple[str, str], ...] = ()
    ) -> "Route":
        """Joins the bytes; `headers` go onto every answer, also onto errors."""
        lines = answers.lines(headers)
        head = answers.head(200, endpoint.content_type, endpoint.headers) + lines
        return Route(endpoint.method, endpoint.handle, head, lines, endpoint.counted, record)


@dataclass(slots=True)
class _Turn:
    """A request that waits for its answer."""

    connection: Connection
    arrived: float
    request_id: bytes
    keep_alive: bool
    body: bytes
    route: Route | None
    #: The answer, where it does not depend on the body.
    fixed: Fixed | None
    #: The answer's body is left out: HEAD.
    bodyless: bool = False


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
        #: Set by a stop: every connection ends with its next answer.
        self.stopping = False
        #: The time, and the `Date` line, as of the last look at the clock, at most SWEEP ago.
        self.now = perf_counter()
        self.date = answers.date()
        self._missing = missing
        self._other = other
        self._on_error = on_error
        self._connections: set[Connection] = set()
        self._queue: deque[_Turn] = deque()
        self._scheduled = False
        self._all_gone = asyncio.Event()

    async def run(self, port: int, stop: asyncio.Event, started: Callable[[], None]) -> None:
        """Serves until `stop` is set, then finishes what is under way. OSError: cannot listen."""
        loop = asyncio.get_running_loop()
        self._call_soon = loop.call_soon
        listener = await loop.create_server(
            lambda: Connection(self),
            host=_ANYWHERE,
            port=port,
            backlog=_BACKLOG,
        )
        sweeper = asyncio.create_task(self._sweep())
        started()
        await stop.wait()
        listener.close()
        await self._finish()
        sweeper.cancel()

    def admit(self, connection: Connection) -> bool:
        """Counts a new connection; False where it is one too many."""
        self._connections.add(connection)
        return len(self._connections) <= self.limits.connections

    def forget(self, connection: Connection) -> None:
        """Counts a lost connection."""
        self._connections.discard(connection)
        if not self._connections:
            self._all_gone.set()

    def waiting(self) -> int:
        """Requests whose turn has not come."""
        return len(self._queue)

    def refused(self, status: int) -> None:
        """Counts an answer to what was no request."""
        self._other(status, 0.0)

    def enqueue_refusal(self, connection: Connection, answer: Fixed) -> None:
        """Lets the last answer of a connection wait for those before it."""
        self._enqueue(_Turn(connection, perf_counter(), b"", False, b"", None, answer))

    def handle(self, connection: Connection, request: Request) -> None:
        """Takes a whole request: answers it, or gives it its place in the queue."""
        path = request.target.partition(b"?")[0]
        method = request.method
        route = self.routes.get(path)
        if route is None and path.startswith(b"http"):
            path = _path_of(path)
            route = self.routes.get(path)
        fixed: Fixed | None = None
        queued = False
        if route is None:
            fixed = self._missing(path)
        elif method != route.method and not (method == "HEAD" and route.method == "GET"):
            fixed = answers.not_allowed(route.method)
        elif route.fixed is not None:
            fixed = route.fixed
        elif route.queued:
            queued = len(self._queue) < self.limits.queue
            fixed = None if queued else answers.OVERLOADED
        turn = _Turn(
            connection,
            perf_counter(),
            request.headers.get(b"x-request-id", b""),
            request.keep_alive,
            bytes(request.body),
            route,
            fixed,
            method == "HEAD",
        )
        if queued or connection.pending > 1:
            self._enqueue(turn)
        else:
            self._answer(turn)

    def _enqueue(self, turn: _Turn) -> None:
        self._queue.append(turn)
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._take_turns)

    def _take_turns(self) -> None:
        queue = self._queue
        end = perf_counter() + SLICE
        while queue and self._answer(queue.popleft()) < end:
            pass
        self._scheduled = bool(queue)
        if queue:
            self._call_soon(self._take_turns)

    def _answer(self, turn: _Turn) -> float:
        """Answers one request; returns when that was done."""
        connection, route, fixed = turn.connection, turn.route, turn.fixed
        if connection.ended:
            return turn.arrived  # nobody is there to hear it
        if fixed is None and perf_counter() - turn.arrived > self.limits.queue_seconds:
            fixed = answers.OVERLOADED
        if fixed is None and route is not None:
            status, head, body = self._compute(route, turn)
        else:
            fixed = fixed or answers.NOT_FOUND
            status, body = fixed.status, fixed.body
            head = fixed.head + route.lines if route else fixed.head
        done = perf_counter()
        (route.record if route else self._other)(status, done - turn.arrived)
        connection.answer(head, body, turn.keep_alive, turn.bodyless)
        return done

    def _compute(self, route: Route, turn: _Turn) -> tuple[int, bytes, bytes]:
        try:
            return 200, route.head, route.handle(turn.body)
        except InvalidInput as error:
            reason = answers.lines((("x-error-reason", error.reason),))
            return 400, answers.head(400) + route.lines + reason, error.body
        except Exception as error:
            identity = request_id(turn.request_id)
            self._on_error(error, identity)
            head = answers.INTERNAL_ERROR.head + route.lines
            head += answers.lines((("x-request-id", identity),))
            return 500, head, answers.INTERNAL_ERROR.body

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            self.now = perf_counter()
            self.date = answers.date()
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


def request_id(sent: bytes) -> str:
    """The caller's own id where it is fit to be logged, or a new one."""
    return sent.decode() if _REQUEST_ID.fullmatch(sent) else token_hex(8)


def _path_of(target: bytes) -> bytes:
    """The path of a target in absolute form, which a proxy may send (RFC 9112, 3.2.2)."""
    return b"/" + target.partition(b"://")[2].partition(b"/")[2]
