"""One connection: its requests in, its answers out, in the same order."""

import asyncio
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, cast

import httptools

from serving.http import answers
from serving.http.answers import Fixed
from serving.http.memory import Share
from serving.http.request import Request
from serving.http.turn import SLICE, Turn

if TYPE_CHECKING:
    from serving.http.server import Server

_NEVER = float("inf")
_NOTHING = memoryview(b"")

#: Bytes that are parsed at once: no more requests than fit in there come between two looks at
#: whether the client takes its answers, and whether others are waiting.
_PIECE = 4096


class Connection(asyncio.Protocol):
    """Feeds the parser, has one request answered after the other, and writes the answers."""

    def __init__(self, server: "Server") -> None:
        """Belongs to the server that accepted it."""
        self._server = server
        self._share = Share(server.memory)
        self._request = Request(server.limits, self._complete, self._permit, self._share.reserve)
        #: Bytes that were received, and are not parsed before there is room for what they ask.
        self._rest, self._kept = _NOTHING, 0
        #: A request waits its turn, and those that came after it wait here.
        self._busy = False
        self._waiting: deque[Turn] = deque()
        #: What ends the connection after the answers that are due.
        self._refusal: Fixed | None = None
        self._reading = True
        self._blocked = self._deaf = self._half_closed = self._answered = False
        #: Bytes that the client had still to take at the last look.
        self._unsent = 0
        #: When the server's clock may end this connection.
        self.deadline = _NEVER
        #: One too many: it is told so where it asks for a prediction.
        self.crowded = False
        #: Nothing more is read or written.
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Registers, or turns away where there are far too many."""
        self._transport = cast("asyncio.Transport", transport)
        self.deadline = self._server.now + self._server.limits.head_seconds
        if not self._server.admit(self):
            self.refuse(answers.OVERLOADED)

    def connection_lost(self, _: Exception | None) -> None:
        """Forgets everything that was under way."""
        self.ended = True
        self._waiting.clear()
        self._rest, self._kept = _NOTHING, 0
        self._share.release_all()
        self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        """Has what came parsed; what it asks for is under way, or answered, when this returns."""
        if self.ended or self._deaf:
            return
        if len(data) <= _PIECE:
            self._feed(data)
        else:
            self._rest = memoryview(data)
            self._feed_rest()

    def eof_received(self) -> bool:
        """Keeps the way back open as long as an answer is due."""
        self._half_closed = True
        return bool(self._busy or self._waiting or self._rest)

    def pause_writing(self) -> None:
        """Answers nothing more before the client has taken what there is."""
        self._blocked = True
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline = self._server.now + self._server.limits.write_seconds

    def resume_writing(self) -> None:
        """Goes on once the answers have gone out."""
        self._blocked = False
        self._unsent = self._transport.get_write_buffer_size()
        self._request.timed = False
        self._time_the_rest()
        if not self._busy:
            self.go_on()

    def is_kept_alive(self) -> bool:
        """Whether it had its answers, and asks for nothing now."""
        return self._answered and self._is_idle()

    def expire(self) -> None:
        """Ends what took too long: a silent client, or one that sends or takes too slowly."""
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._unsent = unsent
            self.deadline = self._server.now + self._server.limits.write_seconds
        elif self._request.under_way and not self.ended and not self._deaf:
            self.refuse(answers.TIMED_OUT)
        else:
            self.ended = True
            self._transport.abort()

    def close_if_idle(self) -> None:
        """Ends a connection on which nothing is under way."""
        if self._is_idle():
            self.ended = True
            self._transport.close()

    def answer(self, turn: Turn, head: bytes, body: bytes) -> None:
        """Writes the answer to the oldest open request."""
        if turn.reserved:
            self._share.release(turn.reserved)
        self._answered = True
        over = (self._server.stopping or self._half_closed) and not (self._waiting or self._rest)
        if turn.keep_alive and not over:
            self._write(head, body, turn.bodyless)
        else:
            self.ended = True
            self._write(head + answers.CLOSE, body, turn.bodyless)
            self._transport.close()

    def go_on(self) -> None:
        """Has the next request answered, once the one before it is."""
        self._busy = False
        if self._reading and not self._waiting and self._is_idle():
            self.deadline = self._server.now + self._server.limits.idle_seconds
            return
        while self._waiting and not (self._busy or self._blocked or self.ended):
            self._busy = not self._server.turns.take(self._waiting.popleft())
        if self._busy or self._blocked or self.ended:
            return
        if self._refusal is not None:
            self._last_words(self._refusal)
        elif self._rest:
            self._feed_rest()
        elif self._is_idle():
            self.deadline = self._server.now + self._server.limits.idle_seconds
        self._read_if_there_is_room()

    def refuse(self, answer: Fixed) -> None:
        """Answers what is no request, after all that came before it, and takes no more."""
        self._server.refused(answer.status)
        self._deaf = True
        self._refusal = answer
        if not (self._busy or self._waiting):
            self._last_words(answer)

    def _is_idle(self) -> bool:
        asked = self._busy or self._request.under_way or self._waiting or self._rest
        return not (asked or self._blocked or self._deaf or self.ended)

    def _feed(self, data: bytes | memoryview) -> None:
        request = self._request
        try:
            request.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # Nobody has to do as an Upgrade asks (RFC 9110, 7.8); the parser stops all the same.
            self._feed(request.again_without_upgrade() + data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self.refuse(request.refusal or answers.BAD_REQUEST)
            return
        if request.under_way:
            request.waited += len(data)
            if request.is_padded():
                self.refuse(answers.HEAD_TOO_LARGE)
            self._time_the_rest()
        if self._waiting or self._blocked:
            self._read_if_there_is_room()

    def _feed_rest(self) -> None:
        """Parses what was kept: as much as there is room for, and others can wait for."""
        end = perf_counter() + SLICE
        while self._rest and not (self._deaf or self.ended or self._is_full()):
            piece, self._rest = self._rest[:_PIECE], self._rest[_PIECE:]
            self._feed(piece)
            if self._rest and perf_counter() > end:
                self._server.turns.call_soon(self._feed_rest)
                break
        if self._deaf or self.ended:
            self._rest = _NOTHING
        if not self._share.reserve(len(self._rest) - self._kept):
            self._rest = _NOTHING
            self._share.release(self._kept)
            self.refuse(answers.OVERLOADED)
        self._kept = len(self._rest)
        self._read_if_there_is_room()

    def _is_full(self) -> bool:
        return self._blocked or len(self._waiting) >= self._server.limits.pipeline

    def _read_if_there_is_room(self) -> None:
        reads = self._deaf or not (self._rest or self._is_full())
        if reads != self._reading and not self._transport.is_closing():
            self._reading = reads
            (self._transport.resume_reading if reads else self._transport.pause_reading)()

    def _complete(self) -> None:
        if not self._blocked:
            self.deadline = _NEVER
        turn = self._server.turn(self, self._request)
        if self._busy or self._waiting or self._blocked:
            self._waiting.append(turn)
        elif self._server.turns.take(turn):
            if not self._blocked:
                self.deadline = self._server.now + self._server.limits.idle_seconds
        else:
            self._busy = True

    def _permit(self) -> None:
        if not (self._busy or self._waiting):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _time_the_rest(self) -> None:
        request, limits = self._request, self._server.limits
        if request.under_way and not (request.timed or self._blocked or self._deaf):
            request.timed = True
            seconds = limits.head_seconds if request.in_head else limits.body_seconds
            self.deadline = self._server.now + seconds

    def _last_words(self, answer: Fixed) -> None:
        """Writes an answer and half-closes.

        The client may still be sending; closing at once would reset the connection under the
        answer, so what still comes is thrown away for a second.
        """
        self.ended = True
        self.deadline = self._server.now + 1
        self._write(answer.head + answers.CLOSE, answer.body)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._read_if_there_is_room()

    def _write(self, head: bytes, body: bytes, bodyless: bool = False) -> None:
        self._transport.write(
            b"%b%bcontent-length: %d\r\n\r\n%b"
            % (head, self._server.lines, len(body), b"" if bodyless else body)
        )
