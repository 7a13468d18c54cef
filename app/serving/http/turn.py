"""Requests that wait for their answers: predictions take turns, the rest are answered at once."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from serving.endpoint import InvalidInput
from serving.http import answers
from serving.http.answers import Fixed
from serving.http.limits import Limits
from serving.http.route import Record, Route, request_id

if TYPE_CHECKING:
    from serving.http.connection import Connection

#: Called with the exception and the request's id where an endpoint fails.
OnError = Callable[[Exception, str], None]

#: Seconds of predictions in a row, after which new requests, probes among them, are looked at.
SLICE = 0.002


@dataclass(slots=True)
class Turn:
    """A whole request that has no answer yet."""

    connection: "Connection"
    arrived: float
    request_id: bytes
    keep_alive: bool
    body: bytes
    #: Bytes that are set aside for the body.
    reserved: int
    route: Route | None
    #: The answer, where it does not depend on the body.
    fixed: Fixed | None
    #: The answer's body is left out: HEAD.
    bodyless: bool


class Turns:
    """Answers one request after the other, in the thread of the event loop."""

    def __init__(self, limits: Limits, other: Record, on_error: OnError) -> None:
        """`other` is told of every answer that belongs to no route, `on_error` of exceptions."""
        self._limits = limits
        self._other = other
        self._on_error = on_error
        self._queue: deque[Turn] = deque()
        self._scheduled = False
        #: The event loop's.
        self.call_soon: Callable[[Callable[[], None]], object]

    def waiting(self) -> int:
        """Predictions whose turn has not come."""
        return len(self._queue)

    def take(self, turn: Turn) -> bool:
        """Answers a request, or gives it its place in the queue; returns whether it answered."""
        if turn.fixed is None and turn.route is not None and turn.route.queued:
            if len(self._queue) < self._limits.queue:
                self._queue.append(turn)
                if not self._scheduled:
                    self._scheduled = True
                    self.call_soon(self._take_turns)
                return False
            turn.fixed = answers.OVERLOADED
        self._answer(turn)
        return True

    def _take_turns(self) -> None:
        queue = self._queue
        end = perf_counter() + SLICE
        while queue:
            turn = queue.popleft()
            done = self._answer(turn)
            turn.connection.go_on()
            if done >= end:
                break
        self._scheduled = bool(queue)
        if queue:
            self.call_soon(self._take_turns)

    def _answer(self, turn: Turn) -> float:
        """Answers one request; returns when that was done."""
        connection, route, fixed = turn.connection, turn.route, turn.fixed
        if connection.ended:
            return turn.arrived  # nobody is there to hear it
        if fixed is None and perf_counter() - turn.arrived > self._limits.queue_seconds:
            fixed = answers.OVERLOADED
        if fixed is None and route is not None:
            status, head, body = self._compute(route, turn)
        else:
            fixed = fixed or answers.NOT_FOUND
            status, head, body = fixed.status, fixed.head, fixed.body
        done = perf_counter()
        (route.record if route else self._other)(status, done - turn.arrived)
        connection.answer(turn, head, body)
        return done

    def _compute(self, route: Route, turn: Turn) -> tuple[int, bytes, bytes]:
        try:
            return 200, route.head, route.handle(turn.body)
        except InvalidInput as error:
            return 400, answers.invalid(error.reason), error.body
        except Exception as error:
            identity = request_id(turn.request_id)
            self._on_error(error, identity)
            line = answers.lines((("x-request-id", identity),))
            return 500, answers.INTERNAL_ERROR.head + line, answers.INTERNAL_ERROR.body
