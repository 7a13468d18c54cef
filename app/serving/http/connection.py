"""One connection: its requests in, its answers out, in the same order."""

import asyncio
from typing import TYPE_CHECKING, cast

import httptools

from serving.http import answers
from serving.http.answers import Fixed
from serving.http.request import Request

if TYPE_CHECKING:
    from serving.http.server import Server

_CLOSE = b"connection: close\r\n"
_NEVER = float("inf")


class Connection(asyncio.Protocol):
    """Feeds the parser, and writes what the server answers."""

    __slots__ = (
        "_blocked",
        "_deaf",
        "_reading",
        "_request",
        "_server",
        "_transport",
        "deadline",
        "ended",
        "pending",
    )

    def __init__(self, server: "Server") -> None:
        """Belongs to the server that accepted it."""
        self._server = server
        self._request = Request(server.limits, self._complete, self._go_on)
        self._reading = True
        self._blocked = self._deaf = False
        #: When the server's clock may end this connection; see `expire`.
        self.deadline = _NEVER
        #: Answers that are still due.
        self.pending = 0
        #: Nothing more is read or written.
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Registers, or turns away where there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self.deadline = self._server.now + self._server.limits.head_seconds
        if not self._server.admit(self):
            self.refuse(answers.TOO_MANY_CONNECTIONS)

    def connection_lost(self, _: Exception | None) -> None:
        """Forgets everything that was under way."""
        self.ended = True
        self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser; what it completes has been handed over when this returns."""
        if self.ended or self._deaf:
            return
        request = self._request
        was_idle = not (request.in_head or request.in_body)
        try:
            request.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.refuse(request.refusal or answers.BAD_REQUEST)
            return
        if request.in_body or request.in_head:
            self._wait_for_rest(was_idle, len(data))
        if self.pending > self._server.limits.pipeline and self._reading:
            self._reading = False
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Keeps the way back open as long as an answer is due."""
        return self.pending > 0

    def pause_writing(self) -> None:
        """Stops reading too: a client that takes no answers gets no more of them."""
        self.deadline = self._server.now + self._server.limits.write_seconds
        self._blocked = True
        if self._reading and not self.ended:
            self._reading = False
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Goes on once the answers have gone out."""
        self._blocked = False
        if not self.pending:
            self._became_idle()

    def expire(self) -> None:
        """Ends what took too long: a silent client, or one that sends or takes too slowly."""
        request = self._request
        if (request.in_head or request.in_body) and not self.ended:
            self.refuse(answers.TIMED_OUT)
        else:
            self.ended = True
            self._transport.abort()

    def close_if_idle(self) -> None:
        """Ends a connection on which nothing is under way."""
        if not (self.pending or self._request.in_head or self._request.in_body):
            self.ended = True
            self._transport.close()

    def answer(self, head: bytes, body: bytes, keep_alive: bool, bodyless: bool = False) -> None:
        """Writes the answer to the oldest open request."""
        self.pending -= 1
        if self.ended:
            return
        server = self._server
        last = not keep_alive or (server.stopping and not self.pending)
        if last:
            head += _CLOSE
        self._transport.write(
            b"%b%bcontent-length: %d\r\n\r\n%b"
            % (head, server.date, len(body), b"" if bodyless else body)
        )
        if last:
            self.ended = True
            self._transport.close()
        elif not self.pending:
            self._became_idle()

    def refuse(self, answer: Fixed) -> None:
        """Answers what is no request, after all that came before it, and takes no more."""
        self._server.refused(answer.status)
        self._deaf = True
        if self.pending:
            self.pending += 1
            self._server.enqueue_refusal(self, answer)
            return
        self._last_words(answer)

    def _last_words(self, answer: Fixed) -> None:
        """Writes an answer and half-closes.

        The client may still be sending; closing at once would reset the connection under the
        answer, so what still comes is thrown away for a second.
        """
        if self.ended:
            return
        self.ended = True
        self.deadline = self._server.now + 1
        self._transport.write(
            b"%b%b%bcontent-length: %d\r\n\r\n%b"
            % (answer.head, _CLOSE, self._server.date, len(answer.body), answer.body)
        )
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _complete(self) -> None:
        request = self._request
        self.pending += 1
        self.deadline = _NEVER
        self._server.handle(self, request)

    def _go_on(self) -> None:
        if not self.pending:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _wait_for_rest(self, was_idle: bool, received: int) -> None:
        limits = self._server.limits
        request = self._request
        if request.in_head:
            request.waited += received
            if request.waited > limits.head + limits.target:
                self.refuse(answers.HEAD_TOO_LARGE)
            elif was_idle:
                self.deadline = self._server.now + limits.head_seconds
        elif not request.timed:
            request.timed = True
            self.deadline = self._server.now + limits.body_seconds

    def _became_idle(self) -> None:
        if self.ended or self._blocked:
            return
        request = self._request
        if not (request.in_head or request.in_body):
            self.deadline = self._server.now + self._server.limits.idle_seconds
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()
